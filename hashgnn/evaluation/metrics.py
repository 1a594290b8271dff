"""Any-hit and NDCG of ranked lists with ties: expectations over the order within a tie."""

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln

from hashgnn.evaluation.ranks import Ranks


def any_hit(ranks: Ranks, cutoffs: Sequence[int]) -> np.ndarray:
    """AnyHit@n = 1 if the first n hold a relevant item, else 0.

    With ties, the probability of that: a level of c items, t of them relevant, that has s ranks
    within n is without a hit with probability C(c - t, s) / C(c, s), here as the product over
    its ranks. Returns float64 [cutoffs, Q].
    """
    none_yet = np.cumprod(1.0 - ranks.hazard, axis=1)
    return 1.0 - none_yet[:, np.asarray(cutoffs) - 1].T


def ndcg(ranks: Ranks, n_relevant: np.ndarray, cutoffs: Sequence[int]) -> np.ndarray:
    """NDCG@n = DCG@n / IDCG@n, DCG@n = sum over relevant ranks r <= n of 1 / log2(r + 1).

    IDCG@n is the DCG of min(n, ``n_relevant``) relevant items at the top; ``n_relevant`` [Q] is
    at least 1. With ties, every rank of a level of c items, t of them relevant, counts t / c.
    Returns float64 [cutoffs, Q].
    """
    depth = ranks.first.shape[1]
    gained = np.cumsum(ranks.gain * discounts(depth), axis=1)
    ends = np.asarray(cutoffs)
    attainable = np.minimum(ends[:, None], n_relevant)
    return gained[:, ends - 1].T / ideal(depth)[attainable]


def discounts(depth: int) -> np.ndarray:
    """1 / log2(r + 1) of ranks r = 1 .. ``depth``."""
    return 1.0 / np.log2(np.arange(2, depth + 2))


def ideal(depth: int) -> np.ndarray:
    """DCG of 0 .. ``depth`` relevant items at the top: float64 [depth + 1]."""
    return np.concatenate([[0.0], np.cumsum(discounts(depth))])


WINDOW = 100  # the released code retrieves 100 items


def ndcg_retrieved(ranks: Ranks, cutoffs: Sequence[int]) -> np.ndarray:
    """NDCG@n whose ideal ranks only the H relevant items among the first max(100, n).

    NDCG@n = DCG@n / IDCG, IDCG the DCG of min(n, H) relevant items at the top; 0 if H is 0. It
    forgives what was never retrieved, so it is not comparable with the standard one. With ties
    that the window cuts, the expectation over H too, which is hypergeometric.
    ``ranks`` must reach that window. Returns float64 [cutoffs, Q].
    """
    return np.array([_at(ranks, n, max(WINDOW, n)) for n in cutoffs])


def _at(ranks: Ranks, n: int, window: int) -> np.ndarray:
    first, size, relevant = (field[:, window - 1, None] for field in ranks)
    drawn = window - first  # ranks of the level that the window cuts, inside the window
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
    """Chance of ``hits`` relevant among ``drawn`` of ``size`` items, ``relevant`` in all."""
    others, missed = size - relevant, drawn - hits
    possible = (hits <= relevant) & (hits <= drawn) & (missed <= others)
    with np.errstate(invalid="ignore"):
        logarithm = _choose(relevant, hits) + _choose(others, missed) - _choose(size, drawn)
        return np.where(possible, np.exp(logarithm), 0.0)


def _choose(n: np.ndarray, k: np.ndarray | int) -> np.ndarray:
    """Logarithm of the binomial coefficient; anything where ``k`` is outside 0 .. ``n``."""
    return gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
