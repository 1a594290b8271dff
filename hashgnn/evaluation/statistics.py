"""Intervals of means over seeds, and tests of the difference between two methods."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats


def t_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Student's interval of the mean that ``values`` [n] are a sample of; NaN where n is 1.

    Student (1908), The Probable Error of a Mean. A bootstrap of three values reaches from the least
    to the greatest at best, and holds the mean in three of four cases.
    """
    if len(values) < 2:
        return float("nan"), float("nan")
    mean = values.mean()
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * stats.sem(values)
    return float(mean - half), float(mean + half)


_UNKNOWN = float("nan")


class Difference(NamedTuple):
    """Of two methods: mean difference, its interval from ``low`` to ``high``, and two-sided p."""

    mean: float
    low: float = _UNKNOWN
    high: float = _UNKNOWN
    p: float = _UNKNOWN


def difference(one: np.ndarray, other: np.ndarray, level: float = 0.95) -> Difference:
    """How far ``one`` is above ``other``, both [seeds, users], as another sample of both might say.

    Its variance is that of the users' differences (of means over seeds, so that a user is its own
    control) over their number, and for each method that of its seeds' means over theirs; the
    degrees of freedom are Satterthwaite's (1946), which for two methods and fixed users are
    Welch's (1947). What one user gets by chance in one training counts in both, which errs on the
    safe side. Users where any value is NaN do not count. Interval and p are NaN where a method has
    one seed, since nothing tells how far another would be off; all is NaN without users.
    """
    common = ~np.isnan(one).any(axis=0) & ~np.isnan(other).any(axis=0)
    if not common.any():
        return Difference(_UNKNOWN)
    one, other = one[:, common], other[:, common]
    by_user = one.mean(axis=0, dtype=float) - other.mean(axis=0, dtype=float)
    mean = float(by_user.mean())
    samples = [by_user, one.mean(axis=1, dtype=float), other.mean(axis=1, dtype=float)]
    sizes = np.array([len(sample) for sample in samples])
    if sizes.min() < 2:
        return Difference(mean)
    parts = np.array([sample.var(ddof=1) for sample in samples]) / sizes
    error = float(np.sqrt(parts.sum()))
    if error == 0:
        return Difference(mean, mean, mean, float(mean == 0))
    freedom = parts.sum() ** 2 / (parts**2 / (sizes - 1)).sum()
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * error
    p = 2 * float(stats.t.sf(abs(mean) / error, freedom))
    return Difference(mean, mean - half, mean + half, p)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """p values corrected for their number, in the order given (Holm 1979); NaN stays and is none.

    Together, errors of the first kind keep the level that each corrected value is held against.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")  # NaN comes last
    order = order[: np.count_nonzero(~np.isnan(p))]
    raised = np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1))
    corrected = np.full_like(p, np.nan)
    corrected[order] = np.minimum(raised, 1.0)
    return corrected
