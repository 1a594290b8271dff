"""Exact Hamming search: distances by popcount, selection by counting."""

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from hashgnn.data.interactions import Csr
from hashgnn.search.parallel import over_queries


def as_words(codes: np.ndarray) -> np.ndarray:
    """Codes uint8 [rows, bytes] as uint64 [rows, ceil(bytes / 8)], padded with zero bits."""
    words = np.zeros((len(codes), -(-codes.shape[1] // 8) * 8), dtype=np.uint8)
    words[:, : codes.shape[1]] = codes
    return words.view(np.uint64)


def nearest(
    queries: np.ndarray, items: np.ndarray, k: int, excluded: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` nearest ``items`` of each query by (distance, position).

    ``queries`` [Q, words] and ``items`` [I, words] uint64; ``excluded``: positions barred for
    each query. Returns positions and distances, int32 [Q, k], -1 where fewer than k remain.
    """
    positions = np.full((len(queries), k), -1, dtype=np.int32)
    distances = np.full((len(queries), k), -1, dtype=np.int32)

    def answer(start: int, stop: int) -> None:
        _nearest(queries, items, *excluded, start, stop, positions, distances)

    over_queries(len(queries), answer)
    return positions, distances


def level_counts(queries: np.ndarray, items: np.ndarray, excluded: Csr) -> np.ndarray:
    """How many items lie at each distance of each query: int32 [Q, 64 words + 1]."""
    counts = np.zeros((len(queries), queries.shape[1] * 64 + 1), dtype=np.int32)

    def answer(start: int, stop: int) -> None:
        _level_counts(queries, items, *excluded, start, stop, counts)

    over_queries(len(queries), answer)
    return counts


def pair_distances(queries: np.ndarray, items: np.ndarray, pairs: Csr) -> np.ndarray:
    """Distance of each pair (query row, item position) of ``pairs``: int32 [pairs]."""
    distances = np.empty(len(pairs.indices), dtype=np.int32)
    _pair_distances(queries, items, *pairs, distances)
    return distances


@intrinsic
def _popcount(typingctx, word):  # type: ignore[no-untyped-def]
    """Bits set in a word: LLVM's ctpop."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


@njit(cache=True, nogil=True)
def _distance(query: np.ndarray, item: np.ndarray) -> np.int64:
    total = np.uint64(0)
    for word in range(len(query)):
        total += _popcount(query[word] ^ item[word])  # type: ignore[call-arg]
    return np.int64(total)


@njit(cache=True, nogil=True)
def _measure(
    query: np.ndarray, items: np.ndarray, barred: np.ndarray, distances: np.ndarray
) -> np.ndarray:
    """Fill ``distances``, -1 for barred positions; return how many items lie at each."""
    counts = np.zeros(len(query) * 64 + 1, dtype=np.int32)
    for position in range(len(items)):
        distances[position] = _distance(query, items[position])
        counts[distances[position]] += 1
    for position in barred:
        counts[distances[position]] -= 1
        distances[position] = -1
    return counts


@njit(cache=True, nogil=True)
def _first_slots(counts: np.ndarray, k: int) -> np.ndarray:
    """The first rank of each distance level; levels that start beyond ``k`` get ``k``."""
    slots = np.empty(len(counts) + 1, dtype=np.int64)
    slots[0] = 0
    for level in range(len(counts)):
        slots[level + 1] = min(k, slots[level] + counts[level])
    return slots


@njit(cache=True, nogil=True)
def _nearest(
    queries: np.ndarray,
    items: np.ndarray,
    indptr: np.ndarray,
    barred: np.ndarray,
    start: int,
    stop: int,
    positions: np.ndarray,
    distances: np.ndarray,
) -> None:
    k = positions.shape[1]
    scratch = np.empty(len(items), dtype=np.int16)
    for row in range(start, stop):
        counts = _measure(queries[row], items, barred[indptr[row] : indptr[row + 1]], scratch)
        slots = _first_slots(counts, k)
        ends = slots[1:].copy()
        for position in range(len(items)):
            level = scratch[position]
            if level >= 0 and slots[level] < ends[level]:
                positions[row, slots[level]] = position
                distances[row, slots[level]] = level
                slots[level] += 1


@njit(cache=True, nogil=True)
def _level_counts(
    queries: np.ndarray,
    items: np.ndarray,
    indptr: np.ndarray,
    barred: np.ndarray,
    start: int,
    stop: int,
    counts: np.ndarray,
) -> None:
    scratch = np.empty(len(items), dtype=np.int16)
    for row in range(start, stop):
        counts[row] = _measure(queries[row], items, barred[indptr[row] : indptr[row + 1]], scratch)


@njit(cache=True)
def _pair_distances(
    queries: np.ndarray,
    items: np.ndarray,
    indptr: np.ndarray,
    positions: np.ndarray,
    distances: np.ndarray,
) -> None:
    for row in range(len(queries)):
        for pair in range(indptr[row], indptr[row + 1]):
            distances[pair] = _distance(queries[row], items[positions[pair]])
