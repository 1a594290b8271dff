"""Files of metrics: tidy frames that figures and tables read, and the values of every user."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hashgnn.errors import InputError
from hashgnn.evaluation.statistics import t_interval
from hashgnn.files import load_arrays

COLUMNS = ["dataset", "model", "bits", "search", "metric", "n", "seed", "value"]


def read_metrics(paths: Iterable[Path]) -> pd.DataFrame:
    """All rows of several ``metrics.csv``; ``InputError`` names a file that is no such table."""
    frames = []
    for path in paths:
        frame = pd.read_csv(path)
        if list(frame.columns) != COLUMNS:
            raise InputError(f"{path}: expected the columns {', '.join(COLUMNS)}; evaluate again")
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def over_seeds(frame: pd.DataFrame) -> pd.DataFrame:
    """Mean, its 95 % t interval and the number of seeds, for each value measured.

    All columns of ``frame`` but ``seed`` and ``value`` say what was measured; ``low`` and
    ``high``, the interval, are NaN where there is one seed.
    """
    keys = [column for column in frame.columns if column not in ("seed", "value")]
    rows = []
    for key, values in frame.groupby(keys, sort=False)["value"]:
        low, high = t_interval(values.to_numpy())
        rows.append((*key, values.mean(), low, high, len(values)))
    return pd.DataFrame(rows, columns=[*keys, "mean", "low", "high", "seeds"])


def at_cutoff(frame: pd.DataFrame, n: int) -> pd.DataFrame:
    """The rows for lists of length ``n``; ``InputError`` where it was not evaluated."""
    chosen = frame[frame.n == n]
    if chosen.empty:
        raise InputError(f"evaluation.cutoffs: lacks {n}, which this figure or table shows")
    return chosen


def user_values(path: Path, search: str, metric: str, n: int) -> np.ndarray:
    """float32 [users] of one measurement in a ``per_user.npz``; NaN without test items.

    All NaN where the method was not ranked by ``search``.
    """
    arrays = load_arrays(path)
    values, searches = arrays["values"], arrays["searches"].tolist()
    if search not in searches:
        return np.full(values.shape[-1], np.nan, np.float32)
    metrics, cutoffs = arrays["metrics"].tolist(), arrays["cutoffs"].tolist()
    return values[searches.index(search), metrics.index(metric), cutoffs.index(n)]


def values_of_seeds(paths: Sequence[Path], search: str, metric: str, n: int) -> np.ndarray:
    """float32 [seeds, users]: of several trainings of one method."""
    return np.stack([user_values(path, search, metric, n) for path in paths])
