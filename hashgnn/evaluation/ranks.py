"""What is known of each rank before any metric: which tied level holds it, what it contains.

A ranked list is the case in which every level holds one item. Items of a level are in uniformly
random order, so every metric here is an expectation over that order, in closed form.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.kernels import njit


class Ranks(NamedTuple):
    """For each query and rank [Q, k] (int32): the level of tied items that holds the rank.

    ``first``: the level's first rank, from 0; ``size``: its items; ``relevant``: how many of
    these are relevant. Ranks beyond the last item are levels of their own without relevant items.
    """

    first: np.ndarray
    size: np.ndarray
    relevant: np.ndarray

    @property
    def gain(self) -> np.ndarray:
        """Expected relevance of the item at each rank: float64 [Q, k]."""
        return self.relevant / self.size

    @property
    def hazard(self) -> np.ndarray:
        """Chance of a relevant item at a rank if its level had none at the ranks before it.

        Drawing without replacement: relevant / (size - ranks of the level already passed).
        """
        passed = np.arange(self.first.shape[1]) - self.first
        # Once all that remain are relevant the chance is 1; the ranks after cannot change it.
        return np.minimum(1.0, self.relevant / (self.size - passed))


def ranks_of_lists(ranked: np.ndarray, relevant: Csr) -> Ranks:
    """Ranks of lists ``ranked`` int32 [Q, k] of item ids, -1 where there is none."""
    hits = np.zeros(ranked.shape, dtype=np.int32)
    _mark(ranked, *relevant, hits)
    first = np.arange(ranked.shape[1], dtype=np.int32)
    return Ranks(np.broadcast_to(first, hits.shape), np.ones_like(hits), hits)


def ranks_of_levels(counts: np.ndarray, relevant: np.ndarray, k: int) -> Ranks:
    """Ranks 0 .. k-1 from the items and the relevant items at each level, int32 [Q, levels]."""
    shape = (len(counts), k)
    first = np.broadcast_to(np.arange(k, dtype=np.int32), shape).copy()
    ranks = Ranks(first, np.ones(shape, dtype=np.int32), np.zeros(shape, dtype=np.int32))
    _spread(counts, relevant, *ranks)
    return ranks


@njit(cache=True)
def _mark(ranked: np.ndarray, indptr: np.ndarray, indices: np.ndarray, hits: np.ndarray) -> None:
    for row in range(len(ranked)):
        wanted = indices[indptr[row] : indptr[row + 1]]
        for rank in range(ranked.shape[1]):
            place = np.searchsorted(wanted, ranked[row, rank])
            hits[row, rank] = place < len(wanted) and wanted[place] == ranked[row, rank]


@njit(cache=True)
def _spread(
    counts: np.ndarray,
    wanted: np.ndarray,
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
                relevant[row, rank] = wanted[row, level]
            start = end


def hit_rate(ranks: Ranks, n_relevant: np.ndarray, cutoffs: Sequence[int]) -> np.ndarray:
    """HR@n = relevant items among the first n / all relevant items of the query.

    ``n_relevant`` [Q] is at least 1. With ties, a level of c items, t of them relevant, that has
    s ranks within n adds s t / c. Returns float64 [cutoffs, Q].
    """
    hits = np.cumsum(ranks.gain, axis=1)
    return hits[:, np.asarray(cutoffs) - 1].T / n_relevant
