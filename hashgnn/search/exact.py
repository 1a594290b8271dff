"""Exact searches over items in tie order: by (weighted) Hamming distance and by inner product.

Kernels release the interpreter's lock, so plain threads serve. Each piece of the work is done by
one thread alone, so results do not depend on their number.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise, product
from typing import NamedTuple, TypeVar

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.kernels import get_threads
from hashgnn.search._kernels import bit_planes
from hashgnn.search._kernels import hamming_scan as scan
from hashgnn.search._kernels import inner_products as products

T = TypeVar("T")

_CODES_AT_ONCE = 256  # queries that share a pass over the codes
_COUNTS_AT_ONCE = 1 << 21  # distances times queries: fewer queries where distances are many
_TABULATED = 32  # queries, at least, for which tabulating pays
_VECTORS_AT_ONCE = 40 * products.ROWS  # queries that share a pass over the vectors
_ONE_BY_ONE = 2  # queries, at most: fewer products than with those that fill up the rows
_CONVERTED_AT_ONCE = 1 << 16  # codes, of which each bit takes 8 bytes
_FEWEST = 1 << 18  # items of a part; of fewer, the scan is over before a second thread has begun


class Items(NamedTuple):
    """``planes`` as ``to_planes`` makes them, of ``n_items`` items."""

    planes: np.ndarray
    n_items: int

    @property
    def bits(self) -> int:
        """Length of a code."""
        return self.planes.shape[1]


class Part(NamedTuple):
    """Items from position ``first`` on; ``excluded``: positions from there, for each query."""

    items: Items
    first: int
    excluded: Csr


def nearest(
    items: Items, codes: np.ndarray, k: int, excluded: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """Find the ``k`` nearest items of each query by (distance, position).

    Args:
        items: the items' bit planes.
        codes: packed codes of the queries, uint8 [Q, bytes].
        k: number of items to return.
        excluded: positions, ascending, that each query must not get.

    Returns:
        Positions and distances, int32 [Q, k]; -1 where fewer than k items remain.
    """
    return _nearest(items, len(codes), lambda rows: _patterns_or_masks(codes[rows]), 0, k, excluded)


def nearest_weighted(
    items: Items, codes: np.ndarray, weights: np.ndarray, levels: int, k: int, excluded: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """Find the ``k`` nearest items of each query, where bits of the query have weights.

    ``weights`` uint8 [Q, bits], below 2^``levels``: what a bit that differs adds to the distance.
    All else is as in ``nearest``.
    """

    def queries(rows: slice) -> np.ndarray:
        return bit_planes.to_weighted_masks(codes[rows], weights[rows], levels)

    return _nearest(items, len(codes), queries, levels, k, excluded)


def _nearest(
    items: Items,
    n_queries: int,
    queries: Callable[[slice], np.ndarray],
    levels: int,
    k: int,
    excluded: Csr,
) -> tuple[np.ndarray, np.ndarray]:
    parts = parts_of(items, excluded)
    positions = np.empty((len(parts), n_queries, k), dtype=np.int32)
    distances = np.empty_like(positions)
    most = scan.farthest(items.bits, levels)

    def answer(number: int, rows: slice) -> None:
        counts = np.empty((rows.stop - rows.start, most + 1), dtype=np.int32)
        lists = positions[number, rows], distances[number, rows]
        _scan(parts[number], queries(rows), rows, k, levels, counts, *lists)

    _in_pieces(parts, n_queries, answer, max(1, min(_CODES_AT_ONCE, _COUNTS_AT_ONCE // most)))
    return merge(parts, positions, distances)


def level_counts(items: Items, codes: np.ndarray, k: int, excluded: Csr) -> np.ndarray:
    """Count the items at each Hamming distance from each query: int32 [Q, bits + 1].

    The counts are exact up to the distance of the query's ``k``-th nearest item; beyond it they are
    too small.
    """
    parts = parts_of(items, excluded)
    counts = np.empty((len(parts), len(codes), items.bits + 1), dtype=np.int32)

    def answer(number: int, rows: slice) -> None:
        none = np.empty((rows.stop - rows.start, 0), dtype=np.int32)
        queries = _patterns_or_masks(codes[rows])
        _scan(parts[number], queries, rows, k, 0, counts[number, rows], none, none)

    _in_pieces(parts, len(codes), answer)
    return counts.sum(axis=0, dtype=np.int32)


def pair_distances(items: Items, codes: np.ndarray, pairs: Csr) -> np.ndarray:
    """Return the Hamming distance of each pair (query row, item position): int32 [pairs]."""
    distances = np.empty(len(pairs.indices), dtype=np.int32)
    bits = np.unpackbits(codes, axis=1, bitorder="little")
    bit_planes.pair_distances(items.planes, bits, *pairs, distances)
    return distances


def nearest_listed(
    items: Items, codes: np.ndarray, k: int, listed: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """Find the ``k`` nearest of the positions ``listed`` for each query, as ``nearest``."""
    first, last = listed.indptr[0], listed.indptr[-1]
    listed = Csr(listed.indptr - first, listed.indices[first:last])
    distances = pair_distances(items, codes, listed)
    rows = np.repeat(np.arange(len(codes)), np.diff(listed.indptr))
    order = np.lexsort((listed.indices, distances, rows))
    ranks = np.arange(len(rows)) - listed.indptr[rows]
    best = order[ranks < k]
    places = rows[ranks < k], ranks[ranks < k]
    found = np.full((2, len(codes), k), -1, dtype=np.int32)
    found[0][places], found[1][places] = listed.indices[best], distances[best]
    return found[0], found[1]


def codes_at(planes: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the codes uint8 [n, bytes] of the items at ``positions`` [n] of bit planes."""
    codes = np.empty((len(positions), planes.shape[1] // 8), dtype=np.uint8)
    for start in range(0, len(positions), _CONVERTED_AT_ONCE):
        block = slice(start, start + _CONVERTED_AT_ONCE)
        chunk, place = np.divmod(positions[block], bit_planes.CHUNK_ITEMS)
        word, shift = np.divmod(place, 64)
        bits = planes[chunk, :, word] >> shift[:, None].astype(np.uint64) & np.uint64(1)
        codes[block] = np.packbits(bits.astype(bool), axis=1, bitorder="little")
    return codes


def _in_pieces(
    parts: Sequence[Part],
    n_queries: int,
    answer: Callable[[int, slice], None],
    block: int = _CODES_AT_ONCE,
) -> None:
    """Call ``answer`` with the number of each part and each block of queries."""
    blocks = query_blocks(n_queries, block, len(parts))
    pieces = list(product(range(len(parts)), blocks))
    in_threads(pieces, lambda piece: answer(*piece))


def _patterns_or_masks(codes: np.ndarray) -> np.ndarray:
    """Convert ``codes`` to what the scan takes: many queries are tabulated."""
    if len(codes) >= _TABULATED:
        return bit_planes.to_patterns(codes, scan.PATTERN_WORDS)
    return bit_planes.to_masks(codes)


def _scan(
    part: Part,
    queries: np.ndarray,
    rows: slice,
    k: int,
    levels: int,
    counts: np.ndarray,
    positions: np.ndarray,
    distances: np.ndarray,
) -> None:
    """Fill what ``scan.scanner`` fills, for ``queries``, which are ``rows`` of all."""
    items, (indptr, excluded) = part.items, part.excluded
    tabled = queries.dtype == np.uint16
    enough = quotas(items.n_items, k, scan.VECTOR_ITEMS)
    scan.scanner(items.bits, tabled, levels)(
        items.planes.reshape(-1), items.n_items, queries,
        _biases(scan.farthest(items.bits, levels)), k, enough,
        (indptr[rows.start : rows.stop + 1], excluded), (counts, positions, distances),
    )  # fmt: skip


@lru_cache
def _biases(most: int) -> np.ndarray:
    """Return 2^levels - accept for accept = 0 .. most + 1, each bit spread over a word."""
    levels = most.bit_length()
    values = (1 << levels) - np.arange(most + 2, dtype=np.uint64)
    return np.uint64(0) - (values[:, None] >> np.arange(levels, dtype=np.uint64) & np.uint64(1))


def largest(
    queries: np.ndarray, items: np.ndarray, k: int, excluded: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """Find the ``k`` items of largest inner product with each query; ties in order of position.

    Args:
        queries: float32 [Q, d].
        items: float32 [I, d].
        k: number of items to return.
        excluded: positions, ascending, that each query must not get.

    Returns:
        Positions int32 and scores float32, [Q, k]; -1 and -inf where fewer than k items remain.
    """
    positions = np.empty((len(queries), k), dtype=np.int32)
    scores = np.empty((len(queries), k), dtype=np.float32)
    enough = quotas(len(items), k, products.PANEL_ITEMS)

    def answer(rows: slice) -> None:
        own = Csr(excluded.indptr[rows.start : rows.stop + 1], excluded.indices)
        keys, found = _multiply(queries[rows], items, enough, own)
        for row in np.flatnonzero(found < min(k, len(items))):
            one = slice(row, row + 1)
            alone = Csr(own.indptr[row : row + 2], own.indices)
            safe = np.full_like(enough, k)
            keys[one] = _multiply(queries[rows][one], items, safe, alone)[0]
        positions[rows], scores[rows] = _in_order(keys, k)

    in_threads(query_blocks(len(queries), _VECTORS_AT_ONCE), answer)
    return positions, scores


def rerank(
    queries: np.ndarray, items: np.ndarray, candidates: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the ``k`` best of each query's ``candidates`` by inner product, as ``largest`` does.

    ``candidates`` are positions int32 [Q, C]; -1 stands for none.
    """
    positions = np.empty((len(queries), k), dtype=np.int32)
    scores = np.empty((len(queries), k), dtype=np.float32)

    def answer(rows: slice) -> None:
        keys = np.empty(candidates[rows].shape, dtype=np.uint64)
        products.multiply_candidates(items, queries[rows], candidates[rows], keys)
        positions[rows], scores[rows] = _in_order(keys, k)

    in_threads(query_blocks(len(queries), _VECTORS_AT_ONCE), answer)
    return positions, scores


def _multiply(
    queries: np.ndarray, items: np.ndarray, enough: np.ndarray, excluded: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """Return keys [Q, some] of the best items, and how many there are [Q]."""
    n_queries, size = queries.shape
    n_rows = n_queries
    if n_queries > _ONE_BY_ONE:
        n_rows = -(-n_queries // products.ROWS) * products.ROWS
    filled = np.zeros((n_rows, size), dtype=np.float32)
    filled[:n_queries] = queries
    floors = np.full(n_rows, np.inf, dtype=np.float32)
    floors[:n_queries] = -np.inf
    state = np.zeros((n_rows, products.STATE_COLUMNS), dtype=np.int64)
    state[:n_queries, products.CURSOR] = excluded.indptr[:-1]
    state[:n_queries, products.END] = excluded.indptr[1:]
    room = 2 * (enough.max(initial=0) + products.PANEL_ITEMS)
    keys = np.full((n_rows, room), products.EMPTY)
    products.multiply(items, filled, enough, excluded.indices, state, floors, keys)
    return keys[:n_queries], state[:n_queries, products.FOUND]


def _in_order(keys: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and scores of the ``k`` smallest keys of each row."""
    best = np.full((len(keys), k), products.EMPTY)
    width = min(k, keys.shape[1])
    best[:, :width] = np.sort(keys, axis=1)[:, :width]
    positions = best.astype(np.uint32).view(np.int32)
    flipped = (best >> np.uint64(32)).astype(np.uint32)
    bits = np.where(flipped >> np.uint32(31), flipped, flipped ^ np.uint32(0x7FFFFFFF))
    return positions, np.where(positions < 0, np.float32(-np.inf), bits.view(np.float32))


def parts_of(items: Items, excluded: Csr) -> list[Part]:
    """Return one part, or one per thread if there are fewer queries than threads."""
    threads, n_queries = get_threads(), len(excluded.indptr) - 1
    pieces = max(1, min(threads, items.n_items // _FEWEST)) if n_queries < threads else 1
    if pieces == 1:
        return [Part(items, 0, excluded)]
    chunks = [len(items.planes) * piece // pieces for piece in range(pieces + 1)]
    return [_part(items, excluded, slice(*bounds)) for bounds in pairwise(chunks)]


def merge(
    parts: Sequence[Part], positions: np.ndarray, distances: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Merge the k nearest of each part, int32 [parts, Q, k], into those of all, int32 [Q, k]."""
    if len(parts) == 1:
        return positions[0], distances[0]
    _, n_queries, k = positions.shape
    for part, found in zip(parts, positions, strict=True):
        found[found >= 0] += part.first
    positions, distances = (
        found.transpose(1, 0, 2).reshape(n_queries, -1) for found in (positions, distances)
    )
    missing_last = np.where(distances < 0, np.iinfo(np.int32).max, distances)
    best = np.argsort(missing_last, axis=1, kind="stable")[:, :k]  # positions ascend already
    return np.take_along_axis(positions, best, axis=1), np.take_along_axis(distances, best, axis=1)


def _part(items: Items, excluded: Csr, chunks: slice) -> Part:
    first, last = (
        chunks.start * bit_planes.CHUNK_ITEMS,
        min(chunks.stop * bit_planes.CHUNK_ITEMS, items.n_items),
    )
    positions = excluded.indices[excluded.indptr[0] : excluded.indptr[-1]]
    inside = (positions >= first) & (positions < last)
    seen = np.concatenate([[0], np.cumsum(inside)])
    chosen = Csr(seen[excluded.indptr - excluded.indptr[0]], positions[inside] - np.int32(first))
    return Part(Items(items.planes[chunks], last - first), first, chosen)


def query_blocks(n_queries: int, block: int, parts: int = 1) -> list[slice]:
    """Return slices of at most ``block`` queries, of almost equal size, that cover all queries.

    There are at least as many as threads, divided by the ``parts`` in which each is answered.
    """
    pieces = max(min(get_threads() // parts, n_queries), -(-n_queries // block))
    if pieces == 1:
        return [slice(0, n_queries)]
    bounds = [n_queries * piece // max(1, pieces) for piece in range(pieces + 1)]
    return [slice(*ends) for ends in pairwise(bounds)]


def in_threads(pieces: Sequence[T], do: Callable[[T], None]) -> None:
    """Call ``do`` with each piece; ``get_threads()`` threads take the next piece in turn."""
    if len(pieces) == 1:
        return do(pieces[0])
    waiting = iter(pieces)

    def work() -> None:
        for piece in waiting:
            do(piece)

    others = min(get_threads(), len(pieces)) - 1
    helpers = [_pool(others).submit(work) for _ in range(others)]
    work()
    for helper in helpers:
        helper.result()


@lru_cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Return a pool that is kept: starting threads takes as long as scanning 100,000 codes."""
    return ThreadPoolExecutor(threads, thread_name_prefix="hashgnn-search")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a fork has no threads but its own


@lru_cache
def quotas(n_items: int, wanted: int, step: int) -> np.ndarray:
    """Return how many items to keep after each ``step`` of a scan: int64 [ceil(n_items / step)].

    Items are in random order, so of a query's ``wanted`` best the first n hold about
    wanted n / n_items, give or take its square root. Four such deviations and 4 more are too few
    for one query in tens of thousands, which has to be scanned anew, and spare all others most
    of the items that look good only early on.
    """
    seen = np.minimum(np.arange(1, -(-n_items // step) + 1) * step, n_items)
    expected = wanted * seen / max(1, n_items)
    return np.minimum(wanted, np.ceil(expected + 4 * np.sqrt(expected) + 4)).astype(np.int64)
