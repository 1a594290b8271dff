"""Hit rate, which is recall."""

from collections.abc import Sequence

import numpy as np

from hashgnn.metrics.ranks import Ranks


def hit_rate(ranks: Ranks, n_relevant: np.ndarray, cutoffs: Sequence[int]) -> np.ndarray:
    """HR@n = relevant items among the first n / all relevant items of the query.

    ``n_relevant`` [Q] is at least 1. With ties, a level of c items, t of them relevant, that has
    s ranks within n adds s t / c. Returns float64 [cutoffs, Q].
    """
    hits = np.cumsum(ranks.gain, axis=1)
    return hits[:, np.asarray(cutoffs) - 1].T / n_relevant
