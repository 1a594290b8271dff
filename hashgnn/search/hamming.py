"""Exact Hamming search: the scan's findings in order, or counted by distance."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numba import njit

from hashgnn.data.interactions import Csr
from hashgnn.search import scan
from hashgnn.search.parallel import in_threads, query_blocks
from hashgnn.search.parts import Items, Part, merge, parts_of
from hashgnn.search.planes import to_masks, to_patterns
from hashgnn.search.quotas import quotas

_BLOCK = 256  # queries that share a pass over the codes
_FEW = 32  # queries for which tabulating would not pay


class _Found(NamedTuple):
    """What the scan leaves of some queries; see ``scan.scanner``."""

    state: np.ndarray
    counts: np.ndarray
    positions: np.ndarray
    distances: np.ndarray


def nearest(
    items: Items, codes: np.ndarray, k: int, excluded: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` nearest items of each query by (distance, position).

    ``codes`` uint8 [Q, bytes]; ``excluded``: ascending positions barred for each query. Returns
    positions and distances, int32 [Q, k], -1 where fewer than k remain.
    """
    parts = parts_of(items, excluded)
    positions = np.empty((len(parts), len(codes), k), dtype=np.int32)
    distances = np.empty_like(positions)

    def answer(number: int, rows: slice) -> None:
        found = _scan(parts[number], codes, rows, k, listing=True)
        bounds, sizes = found.state[:, scan.BOUND], found.state[:, scan.FOUND]
        lists = positions[number, rows], distances[number, rows]
        _in_order(bounds, sizes, found.counts, found.positions, found.distances, *lists)

    _in_pieces(parts, len(codes), answer)
    return merge(parts, positions, distances)


def level_counts(items: Items, codes: np.ndarray, k: int, excluded: Csr) -> np.ndarray:
    """How many items lie at each distance of each query: int32 [Q, bits + 1].

    Right for all levels up to the one that holds the query's ``k``-th nearest item; levels
    beyond it hold fewer than there are.
    """
    parts = parts_of(items, excluded)
    counts = np.empty((len(parts), len(codes), items.bits + 1), dtype=np.int32)

    def answer(number: int, rows: slice) -> None:
        counts[number, rows] = _scan(parts[number], codes, rows, k, listing=False).counts

    _in_pieces(parts, len(codes), answer)
    return counts.sum(axis=0, dtype=np.int32)


def pair_distances(items: Items, codes: np.ndarray, pairs: Csr) -> np.ndarray:
    """Distance of each pair (query row, item position) of ``pairs``: int32 [pairs]."""
    distances = np.empty(len(pairs.indices), dtype=np.int32)
    bits = np.unpackbits(codes, axis=1, bitorder="little")
    _pair_distances(items.planes, bits, *pairs, distances)
    return distances


def _in_pieces(parts: Sequence[Part], n_queries: int, answer: Callable[[int, slice], None]) -> None:
    """Call ``answer`` with the number of each part and each block of queries."""
    blocks = query_blocks(n_queries, _BLOCK, len(parts))
    in_threads(list(product(range(len(parts)), blocks)), lambda piece: answer(*piece))


def _scan(part: Part, codes: np.ndarray, rows: slice, k: int, listing: bool) -> _Found:
    """Scan with quotas that all but surely suffice, and anew where they did not."""
    items, codes, excluded = part.items, codes[rows], _rows(part.excluded, rows)
    tabled = len(codes) >= _FEW
    queries = to_patterns(codes, scan.PATTERN_WORDS) if tabled else to_masks(codes)
    enough = quotas(items.n_items, k, scan.VECTOR_ITEMS)
    found, short = _pass(items, queries, k, enough, excluded, listing)
    if not short:  # nor ask NumPy: after a pass over the memory its own code is in no cache
        return found
    inside, bounds = found.state[:, scan.INSIDE], found.state[:, scan.BOUND]
    for row in np.flatnonzero((inside < k) & (bounds < items.bits)):
        one = slice(row, row + 1)
        safe = np.full_like(enough, k)
        again, _ = _pass(items, queries[one], k, safe, _rows(excluded, one), listing)
        for kept, new in zip(found, again, strict=True):
            kept[one] = new
    return found


def _rows(csr: Csr, rows: slice) -> Csr:
    return Csr(csr.indptr[rows.start : rows.stop + 1], csr.indices)


def _pass(
    items: Items, queries: np.ndarray, k: int, enough: np.ndarray, excluded: Csr, listing: bool
) -> tuple[_Found, int]:
    """What a scan finds, and for how many queries the quotas were too few."""
    room = 2 * k + scan.VECTOR_ITEMS if listing else 0
    found = _Found(
        np.empty((len(queries), scan.STATE_COLUMNS), dtype=np.int64),
        np.empty((len(queries), items.bits + 1), dtype=np.int32),
        np.empty((len(queries), room), dtype=np.int32),
        np.empty((len(queries), room), dtype=np.int16),
    )
    kernel = scan.scanner(items.bits, tabled=queries.dtype == np.uint16)
    planes, biases = items.planes.reshape(-1), _biases(items.bits)
    return found, kernel(planes, items.n_items, queries, biases, k, enough, *excluded, *found)


@lru_cache
def _biases(bits: int) -> np.ndarray:
    """2^levels - accept for accept = 0 .. bits + 1, each of its bits spread over a word."""
    levels = bits.bit_length()
    values = (1 << levels) - np.arange(bits + 2, dtype=np.uint64)
    return np.uint64(0) - (values[:, None] >> np.arange(levels, dtype=np.uint64) & np.uint64(1))


@njit(cache=True, nogil=True)
def _in_order(
    bounds: np.ndarray,
    sizes: np.ndarray,
    counts: np.ndarray,
    found: np.ndarray,
    levels: np.ndarray,
    positions: np.ndarray,
    distances: np.ndarray,
) -> None:
    """Sort what was found by distance, by counting; it is in order of position already.

    Places beyond the found ones get -1.
    """
    positions[:] = -1
    distances[:] = -1
    k = positions.shape[1]
    slots = np.empty(counts.shape[1] + 1, dtype=np.int64)
    for row in range(len(bounds)):
        bound = bounds[row]
        slots[0] = 0
        for level in range(bound):
            slots[level + 1] = slots[level] + counts[row, level]
        for place in range(sizes[row]):
            level = levels[row, place]
            if level <= bound and slots[level] < k:
                positions[row, slots[level]] = found[row, place]
                distances[row, slots[level]] = level
                slots[level] += 1


@njit(cache=True)
def _pair_distances(
    planes: np.ndarray,
    bits: np.ndarray,
    indptr: np.ndarray,
    positions: np.ndarray,
    distances: np.ndarray,
) -> None:
    for row in range(len(bits)):
        for pair in range(indptr[row], indptr[row + 1]):
            chunk, place = divmod(positions[pair], 512)
            word, shift = divmod(place, 64)
            total = 0
            for bit in range(bits.shape[1]):
                item_bit = planes[chunk, bit, word] >> np.uint64(shift) & np.uint64(1)
                total += item_bit != bits[row, bit]
            distances[pair] = total
