"""Work spread over threads.

Kernels release the interpreter's lock, so plain threads serve; each piece is done by one thread
alone, so results do not depend on their number.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.search._kernels.bit_planes import CHUNK_ITEMS
from hashgnn.threads import get_threads

T = TypeVar("T")


def query_blocks(n_queries: int, block: int, parts: int = 1) -> list[slice]:
    """Slices of up to ``block`` queries, of almost equal size, that cover them all.

    Smaller ones rather than idle threads, unless each is to be answered in so many ``parts``.
    """
    pieces = max(min(get_threads() // parts, n_queries), -(-n_queries // block))
    if pieces == 1:
        return [slice(0, n_queries)]
    bounds = [n_queries * piece // max(1, pieces) for piece in range(pieces + 1)]
    return [slice(*ends) for ends in pairwise(bounds)]


def in_threads(pieces: Sequence[T], do: Callable[[T], None]) -> None:
    """Call ``do`` with each piece; as many threads as there may be take the next in turn."""
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
    """Threads that stay: starting them takes as long as scanning 100,000 codes."""
    return ThreadPoolExecutor(threads, thread_name_prefix="hashgnn-search")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a fork has no threads but its own


@lru_cache
def quotas(n_items: int, wanted: int, step: int) -> np.ndarray:
    """Items worth keeping after each ``step`` items of a scan: int64 [ceil(n_items / step)].

    Items are in random order, so of a query's ``wanted`` best the first n hold about
    wanted n / n_items, give or take its square root. Four such deviations and 4 more are too few
    for one query in tens of thousands, which has to be scanned anew, and spare all others most
    of the items that look good only early on.
    """
    seen = np.minimum(np.arange(1, -(-n_items // step) + 1) * step, n_items)
    expected = wanted * seen / max(1, n_items)
    return np.minimum(wanted, np.ceil(expected + 4 * np.sqrt(expected) + 4)).astype(np.int64)


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


def parts_of(items: Items, excluded: Csr) -> list[Part]:
    """The items whole, or one part a thread where there are fewer queries than threads."""
    threads, n_queries = get_threads(), len(excluded.indptr) - 1
    pieces = max(1, min(threads, items.n_items // _FEWEST)) if n_queries < threads else 1
    if pieces == 1:
        return [Part(items, 0, excluded)]
    chunks = [len(items.planes) * piece // pieces for piece in range(pieces + 1)]
    return [_part(items, excluded, slice(*bounds)) for bounds in pairwise(chunks)]


def merge(
    parts: Sequence[Part], positions: np.ndarray, distances: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest of all parts, int32 [Q, k], from those of each, int32 [parts, Q, k]."""
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
    first, last = chunks.start * CHUNK_ITEMS, min(chunks.stop * CHUNK_ITEMS, items.n_items)
    barred = excluded.indices[excluded.indptr[0] : excluded.indptr[-1]]
    inside = (barred >= first) & (barred < last)
    seen = np.concatenate([[0], np.cumsum(inside)])
    chosen = Csr(seen[excluded.indptr - excluded.indptr[0]], barred[inside] - np.int32(first))
    return Part(Items(items.planes[chunks], last - first), first, chosen)
