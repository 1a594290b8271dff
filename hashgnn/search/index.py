"""The index: items in tie order, searched by code, by vector, or by both."""

from collections.abc import Callable
from copy import copy
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.kernels import njit
from hashgnn.search import asymmetric, exact
from hashgnn.search._kernels.bit_planes import to_planes
from hashgnn.search.exact import Items
from hashgnn.search.storage import Arrays, load_arrays, save_arrays
from hashgnn.search.validation import (
    fit_codes,
    fit_ids,
    fit_rows,
    fit_vectors,
    is_for_all,
    new_ids,
    padded_rows,
    whole_number,
    without,
    without_padding,
)

_CANDIDATE_LISTS = 4096  # held at a time: bounds the memory

Ranked = tuple[np.ndarray, np.ndarray]
Only = Any  # ids [n], a Csr, a scipy sparse matrix, or None


class Index:
    """Exact top-k search over items that have codes, vectors, or both.

    Items are kept in a random order drawn once from ``tie_seed``; items that tie come out in
    that order, never in the order of their ids. Every search returns item ids int32 [Q, k], best
    first, and their distances (int32) or scores (float32); -1 and -1 or -inf where fewer than k
    items remain. ``exclude`` names items each query must not get: a Csr, in which -1 is no item,
    or a scipy sparse matrix [Q, items]. ``only`` names the items a query may get: ids [n] for all
    queries, or a Csr or matrix for each. Item ids are the row numbers of the codes and vectors, or
    those given to ``add``.

    Attributes:
        ids_below: Ids are smaller than this.
    """

    def __init__(
        self, codes: np.ndarray | None = None, vectors: np.ndarray | None = None, tie_seed: int = 0
    ) -> None:
        """``codes`` uint8 [I, bytes], packed; ``vectors`` float32 [I, d]. InputError if unfit."""
        fitted = None if codes is None else fit_codes(codes)
        floats = None if vectors is None else fit_vectors(vectors)
        if fitted is not None and floats is not None and len(fitted) != len(floats):
            raise InputError(f"{len(fitted)} codes but {len(floats)} vectors; give one an item")
        if (known := fitted if fitted is not None else floats) is None:
            raise InputError("an index needs item codes, item vectors, or both")
        seed = whole_number("tie_seed", tie_seed, 0, 2**64 - 1)
        self.order = np.random.default_rng(seed).permutation(len(known)).astype(np.int32)
        self.planes = None if fitted is None else to_planes(fitted[self.order])
        self.vectors = None if floats is None else floats[self.order]
        self.ids_below = len(known)

    def __len__(self) -> int:
        """Number of items."""
        return len(self.order)

    def hamming(
        self, codes: np.ndarray, k: int, exclude: Csr | None = None, only: Only = None
    ) -> Ranked:
        """Find the ``k`` items nearest to each query code: ids and Hamming distances."""
        if is_for_all(only):
            return self.subset(only).hamming(codes, k, exclude)
        wanted, codes = whole_number("k", k), self._fit_codes(codes)
        nearest = self._nearest(codes, self._at_most(wanted), exclude, only)
        found, distances = nearest(slice(0, len(codes)))
        return padded(self._ids(found), wanted, -1), padded(distances, wanted, -1)

    def continuous(
        self, vectors: np.ndarray, k: int, exclude: Csr | None = None, only: Only = None
    ) -> Ranked:
        """Find the ``k`` items of largest inner product with each query vector: ids and scores."""
        if is_for_all(only):
            return self.subset(only).continuous(vectors, k, exclude)
        wanted, vectors = whole_number("k", k), self._fit_vectors(vectors)
        items, k = self._item_vectors(), self._at_most(wanted)
        if only is None:
            excluded = self._places(vectors, exclude)
            found, scores = exact.largest(vectors, items, k, excluded)
        else:
            listed = padded_rows(self._listed(vectors, exclude, only))
            found, scores = exact.rerank(vectors, items, listed, k)
        return padded(self._ids(found), wanted, -1), padded(scores, wanted, -np.inf)

    def asymmetric(
        self,
        vectors: np.ndarray,
        k: int,
        exclude: Csr | None = None,
        only: Only = None,
        query_bits: int | None = None,
    ) -> Ranked:
        """Find the ``k`` items whose codes have the largest inner product with each query vector.

        Item codes stand for vectors of -1 and 1. ``vectors`` float32 [Q, bits] stay floats, or are
        rounded to ``query_bits`` each, 2 to 8 with the sign, which is faster; then scores are
        those of the rounded queries. Lists of ``only`` for each query are short: floats rank them.
        """
        if is_for_all(only):
            return self.subset(only).asymmetric(vectors, k, exclude, None, query_bits)
        if query_bits is not None:
            least, most = asymmetric.QUERY_BITS[0], asymmetric.QUERY_BITS[-1]
            query_bits = whole_number("query_bits", query_bits, least, most)
        wanted, items, vectors = whole_number("k", k), self._items(), self._fit_to_codes(vectors)
        excluded, k = self._places(vectors, exclude), self._at_most(wanted)
        if only is not None:
            listed = padded_rows(self._listed(vectors, exclude, only))
            found, scores = asymmetric.rerank(items, vectors, listed, k)
        elif query_bits is None:
            found, scores = asymmetric.nearest_exactly(items, vectors, k, excluded)
        else:
            found, scores = asymmetric.nearest(items, vectors, k, excluded, query_bits)
        return padded(self._ids(found), wanted, -1), padded(scores, wanted, -np.inf)

    def hierarchical(
        self,
        codes: np.ndarray,
        vectors: np.ndarray,
        k: int,
        exclude: Csr | None = None,
        candidates: int = 500,
        only: Only = None,
    ) -> Ranked:
        """Find the ``k`` best by vector of the ``candidates`` nearest by code: ids and scores.

        In an index without item vectors, ``vectors`` are multiplied with the items' codes instead,
        as ``asymmetric`` does.
        """
        if is_for_all(only):
            return self.subset(only).hierarchical(codes, vectors, k, exclude, candidates)
        wanted = whole_number("k", k)
        k = self._at_most(wanted)
        candidates = self._at_most(whole_number("candidates", candidates))
        items, codes = self._items(), self._fit_codes(codes)
        fit = self._fit_to_codes if self.vectors is None else self._fit_vectors
        vectors = fit(vectors)
        if len(codes) != len(vectors):
            raise InputError(f"{len(codes)} query codes but {len(vectors)} query vectors")
        nearby = self._nearest(codes, candidates, exclude, only)
        ids = np.empty((len(codes), k), dtype=np.int32)
        scores = np.empty((len(codes), k), dtype=np.float32)
        for start in range(0, len(codes), _CANDIDATE_LISTS):
            rows = slice(start, start + _CANDIDATE_LISTS)
            nearest, _ = nearby(rows)
            if self.vectors is None:
                found, scores[rows] = asymmetric.rerank(items, vectors[rows], nearest, k)
            else:
                found, scores[rows] = exact.rerank(vectors[rows], self.vectors, nearest, k)
            ids[rows] = self._ids(found)
        return padded(ids, wanted, -1), padded(scores, wanted, -np.inf)

    def level_counts(
        self, codes: np.ndarray, k: int, exclude: Csr | None, relevant: Csr
    ) -> tuple[np.ndarray, np.ndarray]:
        """Count the items, and the ``relevant`` ones, at each Hamming distance from each query.

        Both int32 [Q, bits + 1]. The counts are exact up to the distance of rank ``k``; those of
        larger distances have no meaning.
        """
        items, codes, k = self._items(), self._fit_codes(codes), whole_number("k", k)
        counts = exact.level_counts(items, codes, k, self._places(codes, exclude))
        pairs = self._places(codes, relevant)
        rows = np.repeat(np.arange(len(codes)), np.diff(pairs.indptr))
        cells = rows * counts.shape[1] + exact.pair_distances(items, codes, pairs)
        among = np.bincount(cells, minlength=counts.size).astype(np.int32)
        return counts, among.reshape(counts.shape)

    def subset(self, ids: np.ndarray) -> "Index":
        """Return an index of the items ``ids`` [n], which keep their ids and the order of ties.

        Ids that were removed are left out.
        """
        places = self._positions[fit_ids(ids, self.ids_below)]
        return self._at(np.sort(places[places >= 0]))

    def add(
        self, codes: np.ndarray | None, vectors: np.ndarray | None, ids: np.ndarray | None = None
    ) -> None:
        """Add items at random places in the order of ties.

        Not to be called while another thread searches. Takes as long as building the index.

        Args:
            codes: uint8 [n, bytes], None if the index has no codes.
            vectors: float32 [n, d], None if the index has no vectors.
            ids: Whole numbers [n] that no other item has, by default those from ``ids_below`` on.

        Raises:
            InputError: The rows do not fit the index or each other, or an id is taken.
        """
        added = Index(codes, vectors)
        self._check_alike(added)
        new = new_ids(ids, len(added), self.order, self.ids_below)[added.order]
        first, total = len(self), len(self) + len(added)
        places = np.random.default_rng([first, total]).permutation(total)[: len(added)]
        rows = np.empty(total, dtype=np.int64)  # what comes at each place; the others keep order
        rows[np.delete(np.arange(total), places)] = np.arange(first)
        rows[places] = np.arange(first, total)
        joined = copy(self)
        joined.order = np.concatenate([self.order, new])[rows]
        if self.planes is not None:
            both = np.concatenate([self._codes(), added._codes()])
            joined.planes = to_planes(both[rows])
        if self.vectors is not None and added.vectors is not None:
            joined.vectors = np.concatenate([self.vectors, added.vectors])[rows]
        joined.ids_below = max(self.ids_below, int(new.max(initial=-1)) + 1)
        self._become(joined)

    def remove(self, ids: np.ndarray) -> None:
        """Remove the items ``ids`` [n]; the others keep their ids, and no id is used again.

        Not to be called while another thread searches. Takes as long as building the index.

        Raises:
            InputError: One of the items is not in the index.
        """
        chosen = fit_ids(ids, self.ids_below)
        places = self._positions[chosen]
        if (places < 0).any():
            raise InputError(f"item {chosen[places < 0][0]}: not in the index")
        self._become(self._at(np.delete(np.arange(len(self)), places)))

    def _become(self, other: "Index") -> None:
        vars(other).pop("_positions", None)
        self.__dict__ = other.__dict__

    def _codes(self) -> np.ndarray:
        return exact.codes_at(self._items().planes, np.arange(len(self)))

    def _check_alike(self, added: "Index") -> None:
        """Raise ``InputError`` unless ``added`` has the same arrays, of the same widths."""
        for name, own, other in (
            ("codes", self.planes, added.planes),
            ("vectors", self.vectors, added.vectors),
        ):
            if own is None and other is not None:
                raise InputError(f"the index has no {name}; add items without them")
            if own is not None and other is None:
                raise InputError(f"the index has {name}; add items with them")
            if own is not None and other is not None and own.shape[1] != other.shape[1]:
                unit = "bits" if name == "codes" else "dimensions"
                raise InputError(f"{name} have {other.shape[1]} {unit}, expected {own.shape[1]}")

    def _at(self, positions: np.ndarray) -> "Index":
        """Return an index of the items at ``positions``, in that order."""
        index = Index.__new__(Index)
        index.order, index.ids_below = self.order[positions], self.ids_below
        index.planes = index.vectors = None
        if self.planes is not None:
            index.planes = to_planes(exact.codes_at(self.planes, positions))
        if self.vectors is not None:
            index.vectors = self.vectors[positions]
        return index

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the index as a folder of ``.npy`` files, in place of one that is there."""
        save_arrays(Path(folder), Arrays(self.order, self.planes, self.vectors), self.ids_below)

    @classmethod
    def load(cls, folder: str | PathLike[str], *, verify: bool = True) -> "Index":
        """Map an index that ``save`` wrote into memory; ``InputError`` if it is not whole.

        ``verify`` reads it once to compare checksums. Without it nothing is read but the order of
        the items, and altered codes or vectors go unnoticed.
        """
        index = cls.__new__(cls)
        arrays, index.ids_below = load_arrays(Path(folder), verify)
        index.order, index.planes, index.vectors = arrays
        return index

    def _items(self) -> Items:
        if self.planes is None:
            raise InputError("this index has no codes; build it with item codes")
        return Items(self.planes, len(self))

    def _item_vectors(self) -> np.ndarray:
        if self.vectors is None:
            raise InputError("this index has no vectors; build it with item vectors")
        return self.vectors

    def _fit_codes(self, codes: np.ndarray) -> np.ndarray:
        """Check the queries' ``codes`` against the items'."""
        return fit_codes(codes, width=self._items().bits // 8)

    def _fit_vectors(self, vectors: np.ndarray) -> np.ndarray:
        """Check the queries' ``vectors`` against the items'."""
        return fit_vectors(vectors, width=self._item_vectors().shape[1])

    def _fit_to_codes(self, vectors: np.ndarray) -> np.ndarray:
        """Check that ``vectors`` have a number for each bit of the codes; pad them with zeros."""
        bits = self._items().bits
        fitted = fit_vectors(vectors)
        if not bits - 8 < fitted.shape[1] <= bits:
            raise InputError(
                f"vectors have {fitted.shape[1]} dimensions, expected {bits}: one per bit"
            )
        return np.pad(fitted, ((0, 0), (0, bits - fitted.shape[1])))

    def _at_most(self, wanted: int) -> int:
        """Return ``wanted`` or the number of items: longer lists would only take memory."""
        return min(wanted, max(1, len(self)))

    def _places(self, queries: np.ndarray, rows: Any) -> Csr:
        """Convert items of each query from ids to positions, ascending."""
        if rows is None:
            return Csr(np.zeros(len(queries) + 1, np.int64), np.empty(0, np.int32))
        indptr, ids = fit_rows(rows, len(queries), self.ids_below)
        held = Csr(indptr, self._positions[ids])
        if len(self) < self.ids_below:
            held = without_padding(*held)
        _sort_rows(*held)
        return held

    @cached_property
    def _positions(self) -> np.ndarray:
        """The position of each id: the inverse of ``order``; -1 for ids that are not held."""
        positions = np.full(self.ids_below, -1, dtype=np.int32)
        positions[self.order] = np.arange(len(self), dtype=np.int32)
        return positions

    def _listed(self, queries: np.ndarray, exclude: Csr | None, only: Only) -> Csr:
        """Return the positions of each query's ``only`` without those of ``exclude``."""
        listed, excluded = self._places(queries, only), self._places(queries, exclude)
        return without(listed, excluded, max(1, len(self)))

    def _nearest(
        self, codes: np.ndarray, k: int, exclude: Csr | None, only: Only
    ) -> Callable[[slice], Ranked]:
        """Return a search by code for some of the queries: positions and distances."""
        items = self._items()
        args = codes, exclude
        rows = self._places(*args) if only is None else self._listed(*args, only)

        def nearest(chosen: slice) -> Ranked:
            own = Csr(rows.indptr[chosen.start : chosen.stop + 1], rows.indices)
            if only is None:
                return exact.nearest(items, codes[chosen], k, own)
            return exact.nearest_listed(items, codes[chosen], k, own)

        return nearest

    def _ids(self, positions: np.ndarray) -> np.ndarray:
        ids = np.empty_like(positions)
        _take(self.order, positions, ids)
        return ids


def padded(lists: np.ndarray, width: int, value: float) -> np.ndarray:
    """Pad ``lists`` [Q, k] with ``value`` to ``width`` columns."""
    if lists.shape[1] == width:
        return lists
    try:
        padded = np.full((len(lists), width), value, dtype=lists.dtype)
    except MemoryError as error:
        raise InputError(f"k: {width:,} is more than fits into memory; give less") from error
    padded[:, : lists.shape[1]] = lists
    return padded


@njit(cache=True)
def _take(order: np.ndarray, positions: np.ndarray, ids: np.ndarray) -> None:
    """Fill ``ids`` with the items at ``positions``; -1 stays -1."""
    for row in range(len(positions)):
        for rank in range(positions.shape[1]):
            position = positions[row, rank]
            ids[row, rank] = order[position] if position >= 0 else -1


@njit(cache=True)
def _sort_rows(indptr: np.ndarray, values: np.ndarray) -> None:
    for row in range(len(indptr) - 1):
        values[indptr[row] : indptr[row + 1]].sort()
