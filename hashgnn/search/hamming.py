"""Exact Hamming search: the scan's findings in order, or counted by distance."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.kernels import njit
from hashgnn.search._kernels import hamming_scan as scan
from hashgnn.search._kernels.bit_planes import to_masks, to_patterns
from hashgnn.search.parallel import Items, Part, in_threads, merge, parts_of, query_blocks, quotas

_BLOCK = 256  # queries that share a pass over the codes
_FEW = 32  # queries for which tabulating would not pay


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
        counts = np.empty((rows.stop - rows.start, items.bits + 1), dtype=np.int32)
        lists = positions[number, rows], distances[number, rows]
        _scan(parts[number], codes[rows], rows, k, counts, *lists)

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
        none = np.empty((rows.stop - rows.start, 0), dtype=np.int32)
        _scan(parts[number], codes[rows], rows, k, counts[number, rows], none, none)

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
    pieces = list(product(range(len(parts)), blocks))
    in_threads(pieces, lambda piece: answer(*piece))


def _scan(
    part: Part,
    codes: np.ndarray,
    rows: slice,
    k: int,
    counts: np.ndarray,
    positions: np.ndarray,
    distances: np.ndarray,
) -> None:
    """Fill what ``scan.scanner`` fills, for ``codes``, which are ``rows`` of all."""
    items, (indptr, excluded) = part.items, part.excluded
    tabled = len(codes) >= _FEW
    queries = to_patterns(codes, scan.PATTERN_WORDS) if tabled else to_masks(codes)
    enough = quotas(items.n_items, k, scan.VECTOR_ITEMS)
    scan.scanner(items.bits, tabled)(
        items.planes.reshape(-1), items.n_items, queries, _biases(items.bits), k, enough,
        indptr[rows.start : rows.stop + 1], excluded, counts, positions, distances,
    )  # fmt: skip


@lru_cache
def _biases(bits: int) -> np.ndarray:
    """2^levels - accept for accept = 0 .. bits + 1, each of its bits spread over a word."""
    levels = bits.bit_length()
    values = (1 << levels) - np.arange(bits + 2, dtype=np.uint64)
    return np.uint64(0) - (values[:, None] >> np.arange(levels, dtype=np.uint64) & np.uint64(1))


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
