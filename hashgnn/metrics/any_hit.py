"""Whether anything relevant was found."""

from collections.abc import Sequence

import numpy as np

from hashgnn.metrics.ranks import Ranks


def any_hit(ranks: Ranks, cutoffs: Sequence[int]) -> np.ndarray:
    """AnyHit@n = 1 if the first n hold a relevant item, else 0.

    With ties, the probability of that: a level of c items, t of them relevant, that has s ranks
    within n is without a hit with probability C(c - t, s) / C(c, s), here as the product over
    its ranks. Returns float64 [cutoffs, Q].
    """
    none_yet = np.cumprod(1.0 - ranks.hazard, axis=1)
    return 1.0 - none_yet[:, np.asarray(cutoffs) - 1].T
