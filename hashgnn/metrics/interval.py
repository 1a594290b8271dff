"""How far a mean over seeds may be off."""

import numpy as np
from scipy.stats import bootstrap


def bootstrap_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of ``values`` [n]; NaN where n is 1.

    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13. The resamples are
    drawn from a fixed seed: equal values give equal intervals.
    """
    if len(values) < 2:
        return float("nan"), float("nan")
    drawn = bootstrap(
        (values,),
        np.mean,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return float(drawn.confidence_interval.low), float(drawn.confidence_interval.high)
