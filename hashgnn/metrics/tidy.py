"""The tidy frame of metrics that figures and tables read."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from hashgnn.errors import InputError
from hashgnn.metrics.interval import t_interval

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
