"""Items, and parts of them that several threads search for the same few queries."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.search.planes import CHUNK_ITEMS
from hashgnn.threads import get_threads

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
