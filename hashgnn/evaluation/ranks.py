"""Describe each rank of a ranking with ties: the level of tied items that holds it.

Items of a level are in uniformly random order, so metrics are expectations over that order, which
have closed forms. A ranked list is the special case in which every level holds one item.
"""

from typing import NamedTuple

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.kernels import njit


class Ranks(NamedTuple):
    """The level of tied items that holds each rank of each query: int32 [Q, k] each.

    ``first``: the first rank of the level, from 0; ``size``: the number of its items;
    ``relevant``: how many of these are relevant. Ranks beyond the last item are levels of their own
    without relevant items.
    """

    first: np.ndarray
    size: np.ndarray
    relevant: np.ndarray

    @property
    def gain(self) -> np.ndarray:
        """Return the expected relevance of the item at each rank: float64 [Q, k]."""
        return self.relevant / self.size

    @property
    def hazard(self) -> np.ndarray:
        """Return the chance of a relevant item at each rank, given none before it in its level.

        The items of a level are drawn without replacement, so the chance is
        relevant / (size - ranks of the level already passed): float64 [Q, k].
        """
        passed = np.arange(self.first.shape[1]) - self.first
        # Once all remaining items are relevant the chance is 1; later ranks cannot change it.
        return np.minimum(1.0, self.relevant / (self.size - passed))


def ranks_of_lists(ranked: np.ndarray, relevant: Csr) -> Ranks:
    """Return the ranks of lists without ties.

    Args:
        ranked: Item ids, best first, int32 [Q, k]; -1 pads lists that are shorter.
        relevant: Relevant items of each query, ascending.
    """
    hits = np.zeros(ranked.shape, dtype=np.int32)
    _mark(ranked, *relevant, hits)
    first = np.arange(ranked.shape[1], dtype=np.int32)
    return Ranks(np.broadcast_to(first, hits.shape), np.ones_like(hits), hits)


def ranks_of_levels(counts: np.ndarray, relevant: np.ndarray, k: int) -> Ranks:
    """Return ranks 0 .. k-1 of rankings with ties.

    ``counts`` and ``relevant`` int32 [Q, levels] are the items and relevant items of each level,
    best level first.
    """
    shape = (len(counts), k)
    first = np.broadcast_to(np.arange(k, dtype=np.int32), shape).copy()
    ranks = Ranks(first, np.ones(shape, dtype=np.int32), np.zeros(shape, dtype=np.int32))
    _spread(counts, relevant, *ranks)
    return ranks


@njit(cache=True)
def _mark(ranked: np.ndarray, indptr: np.ndarray, indices: np.ndarray, hits: np.ndarray) -> None:
    for row in range(len(ranked)):
        relevant = indices[indptr[row] : indptr[row + 1]]
        for rank in range(ranked.shape[1]):
            place = np.searchsorted(relevant, ranked[row, rank])
            hits[row, rank] = place < len(relevant) and relevant[place] == ranked[row, rank]


@njit(cache=True)
def _spread(
    counts: np.ndarray,
    relevant_counts: np.ndarray,
    first: np.ndarray,
    size: np.ndarray,
    relevant: np.ndarray,
) -> None:
    for row in range(len(counts)):
        start = 0
        for level in range(counts.shape[1]):
            end = start + counts[row, level]
            for rank in range(start, min(end, first.shape[1])):
                first[row, rank] = start
                size[row, rank] = counts[row, level]
                relevant[row, rank] = relevant_counts[row, level]
            start = end
