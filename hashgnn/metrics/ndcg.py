"""Normalized discounted cumulative gain (Jarvelin and Kekalainen 2002), binary relevance."""

from collections.abc import Sequence

import numpy as np

from hashgnn.metrics.ranks import Ranks


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
