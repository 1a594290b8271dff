"""How far a mean over seeds may be off."""

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
