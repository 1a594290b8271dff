"""Whether two methods differ, user by user."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import wilcoxon


def paired_p(one: np.ndarray, other: np.ndarray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test of ``one`` against ``other``, both [users].

    Users where either is NaN do not count; equal values keep their ranks (Pratt 1959). 1 where
    all are equal. The normal approximation is used: with tens of users or more it is close.
    """
    difference = one - other
    difference = difference[~np.isnan(difference)]
    if not difference.any():
        return 1.0
    return float(wilcoxon(difference, zero_method="pratt", method="asymptotic").pvalue)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """p values corrected for their number, in the order given (Holm 1979).

    Together, errors of the first kind keep the level that each corrected value is held against.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(raised, 1.0)
    return corrected
