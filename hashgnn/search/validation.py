"""Check the inputs of searches and convert them to the form that the kernels take.

A search may be restricted to some items: for all queries by their ids, per query by lists.
"""

import operator
from typing import Any, NamedTuple

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError

MAX_BITS = 1024
# Sums of a million products of such numbers are finite in float32.
_LARGEST = 1e16


class Representation(NamedTuple):
    """Codes and vectors of users or of items, a row each; None for what a method does not have."""

    codes: np.ndarray | None  # uint8 [rows, bytes]
    vectors: np.ndarray | None  # float32 [rows, d]

    def rows(self, chosen: np.ndarray) -> "Representation":
        """Return the rows with the indices ``chosen``."""
        return Representation(*(None if array is None else array[chosen] for array in self))


def fit_codes(codes: Any, rows: int | None = None, width: int | None = None) -> np.ndarray:
    """Return ``codes`` as uint8 [rows, width] of up to ``MAX_BITS``; else raise ``InputError``."""
    array = _array(codes, "codes")
    fits = array.dtype == np.uint8 and array.ndim == 2 and rows in (None, len(array))
    if not fits:
        shape = f"uint8 [{'rows' if rows is None else rows}, {'bytes' if width is None else width}]"
        raise InputError(f"codes are {array.dtype} {list(array.shape)}, expected {shape}")
    if not 1 <= array.shape[1] <= MAX_BITS // 8 or array.shape[1] != (width or array.shape[1]):
        raise InputError(f"codes have {array.shape[1]} bytes, expected {width or '1 to 128'}")
    return array


def fit_vectors(
    vectors: Any, rows: int | None = None, width: int | None = None, *, finite: bool = True
) -> np.ndarray:
    """Return ``vectors`` as float32 [rows, width], ``finite``; else raise ``InputError``."""
    array = _array(vectors, "vectors")
    fits = array.ndim == 2 and rows in (None, len(array)) and width in (None, array.shape[1])
    if array.dtype != np.float32 or not fits:
        shape = f"float32 [{'rows' if rows is None else rows}, {'d' if width is None else width}]"
        raise InputError(f"vectors are {array.dtype} {list(array.shape)}, expected {shape}")
    if finite:
        check_numbers(array)
    return array


def check_numbers(vectors: np.ndarray) -> None:
    """Raise ``InputError`` with the first row that holds NaN, infinity or too large numbers."""
    # With a NaN both minimum and maximum are NaN, and comparisons with NaN are false.
    if not vectors.size or (vectors.min() >= -_LARGEST and vectors.max() <= _LARGEST):
        return
    fits = (vectors >= -_LARGEST) & (vectors <= _LARGEST)
    row, column = np.argwhere(~fits)[0]
    raise InputError(
        f"vectors: row {row} holds {vectors[row, column]}; expected finite numbers from -1e16 to "
        "1e16"
    )


def whole_number(name: str, value: Any, least: int = 1, most: int = 2**31 - 1) -> int:
    """Return ``value`` as an int from ``least`` to ``most``; else raise ``InputError``."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number <= most:
        raise InputError(
            f"{name}: expected a whole number from {least} to {most}, got {value!r:.80}"
        )
    return number


def fit_rows(rows: Any, n_queries: int, n_items: int) -> Csr:
    """Return the items of each query, with ``indptr`` int64 that begins at 0.

    ``rows`` is a Csr, or a scipy sparse matrix [n_queries, n_items] whose nonzero entries are the
    items. -1, which pads the lists of a search, is removed.
    """
    if hasattr(rows, "tocsr"):
        if rows.shape != (n_queries, n_items):
            raise InputError(
                f"matrix of shape {list(rows.shape)}, expected [{n_queries}, {n_items}]"
            )
        entries = (rows != 0).tocsr()
        rows = (entries.indptr, entries.indices)
    if not (isinstance(rows, tuple) and len(rows) == 2):
        raise InputError(
            f"rows of items are a {type(rows).__name__}; give a Csr(indptr, indices) or a scipy "
            "sparse matrix"
        )
    indptr, indices = (_integers(part, name) for part, name in zip(rows, Csr._fields, strict=True))
    if len(indptr) != n_queries + 1:
        given = len(indptr) - 1
        raise InputError(f"{given} rows of items for {n_queries} queries; give one row each")
    if indptr[0] < 0 or indptr[-1] > len(indices) or (indptr[1:] < indptr[:-1]).any():
        raise InputError(f"indptr must ascend within 0 to {len(indices)}, the number of indices")
    indices = indices[indptr[0] : indptr[-1]]
    indptr = (indptr - indptr[0]).astype(np.int64)
    if len(indices) and not (indices.min() >= -1 and indices.max() < n_items):
        worst = indices[(indices < -1) | (indices >= n_items)][0]
        raise InputError(f"item {worst}: expected 0 to {n_items - 1}, or -1 for padding")
    return without_padding(indptr, indices)


def without_padding(indptr: np.ndarray, indices: np.ndarray) -> Csr:
    """Return rows without the entries -1."""
    kept = indices >= 0
    if kept.all():
        return Csr(indptr, indices)
    seen = np.concatenate([[0], np.cumsum(kept)])
    return Csr(seen[indptr], indices[kept])


def is_for_all(only: Any) -> bool:
    """Return whether ``only`` lists items for all queries alike, and not for each query."""
    per_query = hasattr(only, "tocsr") or (isinstance(only, tuple) and len(only) == 2)
    return only is not None and not per_query


def fit_ids(ids: Any, below: int) -> np.ndarray:
    """Return item ids as int32 [n], ascending and distinct; ``InputError`` if they are unfit."""
    array = np.asarray(ids)
    if array.ndim != 1 or not (array.dtype.kind in "iu" or not array.size):
        raise InputError(f"ids are {array.dtype} {list(array.shape)}, expected whole numbers [n]")
    array = np.unique(array)
    if len(array) and not (array[0] >= 0 and array[-1] < below):
        worst = array[0] if array[0] < 0 else array[-1]
        raise InputError(f"item {worst}: expected 0 to {below - 1}")
    return array.astype(np.int32)


def new_ids(ids: Any, count: int, taken: np.ndarray, below: int) -> np.ndarray:
    """Return ids int32 [count] for new items, by default those from ``below`` on.

    Raises ``InputError`` if they are unfit, repeated, or among those ``taken``.
    """
    if ids is None:
        ids = np.arange(below, below + count)
    array = np.asarray(ids)
    distinct = fit_ids(array, 2**31 - 1)
    if len(array) != count or len(distinct) != count:
        raise InputError(f"{len(array)} ids, {len(distinct)} distinct, for {count} items")
    if len(repeated := np.intersect1d(distinct, taken)):
        raise InputError(f"item {repeated[0]}: already in the index; remove it first")
    return array.astype(np.int32)


def without(rows: Csr, others: Csr, below: int) -> Csr:
    """Return each of ``rows``, which ascend, once without repeats and the entries of ``others``.

    Entries are below ``below``.
    """
    kept, barred = (
        np.repeat(np.arange(len(csr.indptr) - 1, dtype=np.int64), np.diff(csr.indptr)) * below
        + csr.indices
        for csr in (rows, others)
    )
    chosen = (np.diff(kept, prepend=-1) > 0) & ~np.isin(kept, barred)
    counts = np.concatenate([[0], np.cumsum(chosen)])
    return Csr(counts[rows.indptr], rows.indices[chosen])


def padded_rows(rows: Csr) -> np.ndarray:
    """Return ``rows`` as a matrix int32 [Q, longest row], filled up with -1."""
    sizes = np.diff(rows.indptr)
    matrix = np.full((len(sizes), sizes.max(initial=0)), -1, dtype=np.int32)
    matrix[np.arange(matrix.shape[1]) < sizes[:, None]] = rows.indices
    return matrix


def _array(values: Any, what: str) -> np.ndarray:
    """Return ``values`` as a C-contiguous array."""
    try:
        return np.ascontiguousarray(values) if np.ndim(values) else np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{what}: cannot be converted to an array ({error})") from error


def _integers(values: Any, what: str) -> np.ndarray:
    array = _array(values, what)
    if array.ndim != 1 or not (array.dtype.kind in "iu" or not array.size):
        raise InputError(f"{what} is {array.dtype} {list(array.shape)}, expected whole numbers [n]")
    return array.astype(np.int64, copy=False) if array.dtype != np.int32 else array
