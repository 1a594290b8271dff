"""Read the metrics of several runs, average them over seeds, and compare methods."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from hashgnn.errors import InputError
from hashgnn.files import load_arrays

COLUMNS = ["dataset", "model", "bits", "search", "metric", "n", "seed", "value"]


def read_metrics(paths: Iterable[Path]) -> pd.DataFrame:
    """Return the rows of several ``metrics.csv``; raise ``InputError`` for other columns."""
    return read_rows(paths, COLUMNS, "evaluate again")


def read_rows(paths: Iterable[Path], columns: Sequence[str], remedy: str) -> pd.DataFrame:
    """Return the rows of several CSV files.

    Raises:
        InputError: A file has other ``columns``; the message ends with ``remedy``.
    """
    frames = []
    for path in paths:
        frame = pd.read_csv(path)
        if list(frame.columns) != list(columns):
            raise InputError(f"{path}: expected the columns {', '.join(columns)}; {remedy}")
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def over_seeds(frame: pd.DataFrame) -> pd.DataFrame:
    """Return mean, 95 % t interval and number of seeds of each measurement.

    Args:
        frame: Columns ``seed`` and ``value``; all other columns identify the measurement.

    Returns:
        The identifying columns and ``mean``, ``low``, ``high`` and ``seeds``. ``low`` and ``high``
        are NaN where there is one seed.
    """
    keys = [column for column in frame.columns if column not in ("seed", "value")]
    rows = []
    for key, values in frame.groupby(keys, sort=False)["value"]:
        low, high = t_interval(values.to_numpy())
        rows.append((*key, values.mean(), low, high, len(values)))
    return pd.DataFrame(rows, columns=[*keys, "mean", "low", "high", "seeds"])


def at_cutoff(frame: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return the rows of cutoff ``n``; raise ``InputError`` if it was not evaluated."""
    chosen = frame[frame.n == n]
    if chosen.empty:
        raise InputError(f"evaluation.cutoffs: lacks {n}, which this figure or table shows")
    return chosen


def user_values(path: Path, search: str, metric: str, n: int) -> np.ndarray:
    """Return one metric of every user from a ``per_user.npz``: float32 [users].

    NaN for users without test items, and for all if the method was not evaluated with ``search``.
    """
    arrays = load_arrays(path)
    values, searches = arrays["values"], arrays["searches"].tolist()
    if search not in searches:
        return np.full(values.shape[-1], np.nan, np.float32)
    metrics, cutoffs = arrays["metrics"].tolist(), arrays["cutoffs"].tolist()
    return values[searches.index(search), metrics.index(metric), cutoffs.index(n)]


def values_of_seeds(paths: Sequence[Path], search: str, metric: str, n: int) -> np.ndarray:
    """Return one metric of every user in several trainings of a method: float32 [seeds, users]."""
    return np.stack([user_values(path, search, metric, n) for path in paths])


def t_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Return Student's confidence interval of the mean of ``values`` [n]; NaN if n is 1.

    Student (1908), The Probable Error of a Mean. A bootstrap is not used: with three values it
    covers the mean in three of four cases, as it cannot exceed the smallest and largest value.
    """
    if len(values) < 2:
        return float("nan"), float("nan")
    mean = values.mean()
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * stats.sem(values)
    return float(mean - half), float(mean + half)


_NAN = float("nan")


class Difference(NamedTuple):
    """The mean difference of two methods, its confidence interval and two-sided p value."""

    mean: float
    low: float = _NAN
    high: float = _NAN
    p: float = _NAN


def difference(one: np.ndarray, other: np.ndarray, level: float = 0.95) -> Difference:
    """Test by how much ``one`` exceeds ``other`` for new users and new seeds.

    The squared standard error is the sum of three variances of means: of the users' differences
    (of means over seeds, so that each user is its own control), and of the seeds' means of each
    method. The degrees of freedom are Satterthwaite's (1946); for two methods and fixed users they
    are Welch's (1947). The variation of one user in one training enters both terms, which makes the
    test conservative.

    Args:
        one: Values of the first method, [seeds, users].
        other: Values of the second method, [seeds, users]. The numbers of seeds may differ. Users
            with a NaN in either are left out.
        level: Coverage of the interval.

    Returns:
        Interval and p are NaN if a method has one seed; all values are NaN without users.
    """
    common = ~np.isnan(one).any(axis=0) & ~np.isnan(other).any(axis=0)
    if not common.any():
        return Difference(_NAN)
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
    """Return p values corrected for multiple tests by Holm's method (1979), in the given order.

    Rejecting where a corrected value is below a level keeps the family-wise error rate at that
    level. NaN stays NaN and does not count as a test.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")  # NaN sorts last
    order = order[: np.count_nonzero(~np.isnan(p))]
    raised = np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1))
    corrected = np.full_like(p, np.nan)
    corrected[order] = np.minimum(raised, 1.0)
    return corrected
