"""Restrict a search to some items: for all queries by an index of these, per query by lists."""

from typing import Any

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.search import exact
from hashgnn.search._kernels.bit_planes import CHUNK_ITEMS
from hashgnn.search.exact import Items

_CONVERTED_AT_ONCE = 1 << 16  # codes, of which each bit takes 8 bytes


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


def codes_at(planes: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the codes uint8 [n, bytes] of the items at ``positions`` [n] of bit planes."""
    codes = np.empty((len(positions), planes.shape[1] // 8), dtype=np.uint8)
    for start in range(0, len(positions), _CONVERTED_AT_ONCE):
        block = slice(start, start + _CONVERTED_AT_ONCE)
        chunk, place = np.divmod(positions[block], CHUNK_ITEMS)
        word, shift = np.divmod(place, 64)
        bits = planes[chunk, :, word] >> shift[:, None].astype(np.uint64) & np.uint64(1)
        codes[block] = np.packbits(bits.astype(bool), axis=1, bitorder="little")
    return codes


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


def nearest_listed(
    items: Items, codes: np.ndarray, k: int, listed: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """Find the ``k`` nearest of the positions ``listed`` for each query, as ``exact.nearest``."""
    first, last = listed.indptr[0], listed.indptr[-1]
    listed = Csr(listed.indptr - first, listed.indices[first:last])
    distances = exact.pair_distances(items, codes, listed)
    rows = np.repeat(np.arange(len(codes)), np.diff(listed.indptr))
    order = np.lexsort((listed.indices, distances, rows))
    ranks = np.arange(len(rows)) - listed.indptr[rows]
    best = order[ranks < k]
    places = rows[ranks < k], ranks[ranks < k]
    found = np.full((2, len(codes), k), -1, dtype=np.int32)
    found[0][places], found[1][places] = listed.indices[best], distances[best]
    return found[0], found[1]


def padded_rows(rows: Csr) -> np.ndarray:
    """Return ``rows`` as a matrix int32 [Q, longest row], filled up with -1."""
    sizes = np.diff(rows.indptr)
    matrix = np.full((len(sizes), sizes.max(initial=0)), -1, dtype=np.int32)
    matrix[np.arange(matrix.shape[1]) < sizes[:, None]] = rows.indices
    return matrix
