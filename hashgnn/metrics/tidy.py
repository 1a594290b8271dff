"""The tidy frame of metrics that figures and tables read."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from hashgnn.errors import InputError

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
    """Mean, standard deviation, minimum, maximum and number of seeds of each value."""
    keys = [column for column in COLUMNS if column not in ("seed", "value")]
    grouped = frame.groupby(keys, sort=False)["value"]
    return grouped.agg(mean="mean", std="std", min="min", max="max", seeds="count").reset_index()
