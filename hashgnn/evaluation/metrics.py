"""Metrics of rankings with ties, which are expectations over the order within a tie; and of lists.

``Ranks`` describe each rank of a ranking by the level of tied items that holds it. Items of a level
are in uniformly random order, so metrics are expectations over that order, which have closed forms.
A ranked list is the special case in which every level holds one item. Every metric of ranks takes
``Ranks`` of Q queries that reach the largest of ``cutoffs``, and returns float64 [cutoffs, Q].
Metrics of lists are about the lists of all users together, whose items ``Exposure`` counts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from hashgnn.data.interactions import Csr
from hashgnn.kernels import njit

WINDOW = 100  # items that the authors' code retrieves


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


def recall(ranks: Ranks, n_relevant: np.ndarray, cutoffs: Sequence[int]) -> np.ndarray:
    """Return Recall@n = relevant items among the first n / all relevant items of the query.

    This is the paper's HR@n. With ties, a level of c items, t of them relevant, that has s ranks
    within n adds s t / c. ``n_relevant`` [Q] is at least 1.
    """
    hits = np.cumsum(ranks.gain, axis=1)
    return hits[:, np.asarray(cutoffs) - 1].T / n_relevant


def hit_rate(ranks: Ranks, cutoffs: Sequence[int]) -> np.ndarray:
    """Return HitRate@n = 1 if the first n hold a relevant item, else 0.

    With ties, the probability of that: a level of c items, t of them relevant, that has s ranks
    within n has no hit with probability C(c - t, s) / C(c, s), computed as a product over its
    ranks.
    """
    none_yet = np.cumprod(1.0 - ranks.hazard, axis=1)
    return 1.0 - none_yet[:, np.asarray(cutoffs) - 1].T


def precision(ranks: Ranks, cutoffs: Sequence[int]) -> np.ndarray:
    """Return Precision@n = relevant items among the first n / n; with ties as ``recall``."""
    ends = np.asarray(cutoffs)
    return np.cumsum(ranks.gain, axis=1)[:, ends - 1].T / ends[:, None]


def reciprocal_rank(ranks: Ranks, cutoffs: Sequence[int]) -> np.ndarray:
    """Return RR@n = 1 / rank of the first relevant item, 0 if none is among the first n.

    With ties, rank r is the first with the probability that no rank before it is relevant, as in
    ``hit_rate``, times its own given that.
    """
    hazard = ranks.hazard
    none_yet = np.cumprod(1.0 - hazard, axis=1)
    before = np.concatenate([np.ones((len(hazard), 1)), none_yet[:, :-1]], axis=1)
    reached = np.cumsum(before * hazard / np.arange(1, hazard.shape[1] + 1), axis=1)
    return reached[:, np.asarray(cutoffs) - 1].T


def average_precision(ranks: Ranks, n_relevant: np.ndarray, cutoffs: Sequence[int]) -> np.ndarray:
    """Return AP@n = sum of Precision@r over the relevant ranks r up to n / all relevant items.

    With ties, rank r of a level of c items, t of them relevant, is relevant with probability t / c;
    given that, each rank of the level before it is with (t - 1) / (c - 1) (McSherry and Najork
    2008, Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
    Scores, ECIR). ``n_relevant`` [Q] is at least 1.
    """
    gain = ranks.gain
    hits = np.concatenate([np.zeros((len(gain), 1)), np.cumsum(gain, axis=1)], axis=1)
    earlier = np.take_along_axis(hits, ranks.first.astype(np.int64), axis=1)
    within = np.arange(gain.shape[1]) - ranks.first
    share = (ranks.relevant - 1) / np.maximum(ranks.size - 1, 1)
    precisions = gain * (1 + earlier + within * share) / np.arange(1, gain.shape[1] + 1)
    return np.cumsum(precisions, axis=1)[:, np.asarray(cutoffs) - 1].T / n_relevant


class Exposure:
    """How often lists of the first n items hold each item, for several n.

    Attributes:
        lists: Expected number of lists that hold each item: float64 [cutoffs, items].
        none: Probability that no list holds the item: float64 [cutoffs, items].
    """

    def __init__(self, n_items: int, cutoffs: Sequence[int]) -> None:
        self.cutoffs = np.asarray(cutoffs)
        self.lists = np.zeros((len(cutoffs), n_items))
        self.none = np.ones((len(cutoffs), n_items))

    def add_lists(self, ranked: np.ndarray) -> None:
        """Add lists without ties: item ids int32 [Q, k], best first, -1 where a list ends."""
        for row, n in enumerate(self.cutoffs):
            shown = ranked[:, :n]
            self.lists[row] += np.bincount(shown[shown >= 0], minlength=self.lists.shape[1])
            self.none[row, shown[shown >= 0]] = 0

    def add_levels(self, counts: np.ndarray, distances: np.ndarray, excluded: Csr) -> None:
        """Add rankings with ties, each in an order of its ties that does not depend on the others.

        Of a level of c items, s of them within the first n, each is in the list with probability
        s / c.

        Args:
            counts: Items of each level, best first, without those excluded: int32 [Q, levels].
            distances: The level of each item: integers [Q, items].
            excluded: Items of each query that its list does not hold.
        """
        starts = np.cumsum(counts, axis=1) - counts
        within = np.clip(self.cutoffs[:, None, None] - starts, 0, counts)
        chances = within / np.maximum(counts, 1)
        _expose(chances, within.any(axis=0), distances, *excluded, self.lists, self.none)


@njit(cache=True)
def _expose(
    chances: np.ndarray,
    reached: np.ndarray,
    distances: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    lists: np.ndarray,
    none: np.ndarray,
) -> None:
    excluded = np.zeros(distances.shape[1], dtype=np.bool_)
    for query in range(len(distances)):
        own = indices[indptr[query] : indptr[query + 1]]
        excluded[own] = True
        for item in range(distances.shape[1]):
            level = distances[query, item]
            if excluded[item] or not reached[query, level]:
                continue
            for row in range(len(lists)):
                lists[row, item] += chances[row, query, level]
                none[row, item] *= 1 - chances[row, query, level]
        excluded[own] = False


def coverage(none: np.ndarray) -> float:
    """Return the expected share of items that are in a list; ``none`` [items] as ``Exposure``'s."""
    return float(np.mean(1 - none))


def gini(lists: np.ndarray) -> float:
    """Return the Gini coefficient of ``lists`` [items], the (expected) lists that hold each item.

    0 if all items are in as many lists; close to 1 if few items are in all of them.
    """
    ordered = np.sort(lists).astype(np.float64)
    places = 2 * np.arange(1, len(ordered) + 1) - len(ordered) - 1
    return float(places @ ordered / (len(ordered) * ordered.sum()))


def novelty(lists: np.ndarray, n_users_of: np.ndarray, n_users: int) -> float:
    """Return the mean over recommended items of -log2(share of users who have the item), in bits.

    Args:
        lists: [items], the (expected) lists that hold each item.
        n_users_of: [items], the users who have each item already. One is assumed where there is
            none, which bounds the value.
        n_users: All users.
    """
    information = -np.log2(np.maximum(n_users_of, 1) / n_users)
    return float(lists @ information / lists.sum())


def ndcg(ranks: Ranks, n_relevant: np.ndarray, cutoffs: Sequence[int]) -> np.ndarray:
    """Return NDCG@n = DCG@n / IDCG@n, with DCG@n the sum of 1 / log2(r + 1) over relevant ranks r.

    Ranks count from 1 to n. IDCG@n is the DCG of min(n, ``n_relevant``) relevant items at the top;
    ``n_relevant`` [Q] is at least 1. With ties, every rank of a level of c items, t of them
    relevant, counts t / c.
    """
    depth = ranks.first.shape[1]
    gained = np.cumsum(ranks.gain * discounts(depth), axis=1)
    ends = np.asarray(cutoffs)
    attainable = np.minimum(ends[:, None], n_relevant)
    return gained[:, ends - 1].T / ideal(depth)[attainable]


def discounts(depth: int) -> np.ndarray:
    """Return 1 / log2(r + 1) for ranks r = 1 .. ``depth``: float64 [depth]."""
    return 1.0 / np.log2(np.arange(2, depth + 2))


def ideal(depth: int) -> np.ndarray:
    """Return the DCG of 0 .. ``depth`` relevant items at the top: float64 [depth + 1]."""
    return np.concatenate([[0.0], np.cumsum(discounts(depth))])


def ndcg_retrieved(ranks: Ranks, cutoffs: Sequence[int]) -> np.ndarray:
    """Return NDCG@n whose ideal contains only the H relevant items among the first max(100, n).

    NDCG@n = DCG@n / IDCG, with IDCG the DCG of min(n, H) relevant items at the top; 0 if H is 0.
    Relevant items that were not retrieved are not counted, so values are not comparable with those
    of ``ndcg``. Where the window cuts a tie, H is random (hypergeometric), and the result is the
    expectation over H as well. ``ranks`` must reach the window of max(100, n).
    """
    return np.array([_retrieved_at(ranks, n, max(WINDOW, n)) for n in cutoffs])


def _retrieved_at(ranks: Ranks, n: int, window: int) -> np.ndarray:
    first, size, relevant = (field[:, window - 1, None] for field in ranks)
    drawn = window - first  # ranks inside the window of the level that it cuts
    rank = np.arange(window)
    whole = rank < first
    gain = ranks.gain[:, :window] * whole
    certain = np.rint(gain.sum(axis=1, keepdims=True)).astype(np.int64)
    discount = discounts(window) * (rank < n)
    dcg_certain = gain @ discount
    dcg_cut = (~whole / drawn) @ discount
    best = ideal(window)
    total = np.zeros(len(first))
    for hits in range(int(relevant.max(initial=0)) + 1):
        chance = _hypergeometric(hits, size, relevant, drawn)[:, 0]
        attainable = best[np.minimum(n, certain[:, 0] + hits)]
        dcg = dcg_certain + hits * dcg_cut
        total += chance * np.divide(dcg, attainable, out=np.zeros_like(dcg), where=attainable > 0)
    return total


def _hypergeometric(
    hits: int, size: np.ndarray, relevant: np.ndarray, drawn: np.ndarray
) -> np.ndarray:
    """Return the chance of ``hits`` relevant among ``drawn`` of ``size`` items."""
    others, missed = size - relevant, drawn - hits
    possible = (hits <= relevant) & (hits <= drawn) & (missed <= others)
    with np.errstate(invalid="ignore"):
        logarithm = _choose(relevant, hits) + _choose(others, missed) - _choose(size, drawn)
        return np.where(possible, np.exp(logarithm), 0.0)


def _choose(n: np.ndarray, k: np.ndarray | int) -> np.ndarray:
    """Return the logarithm of n choose k; arbitrary where ``k`` is outside 0 .. ``n``."""
    return gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
