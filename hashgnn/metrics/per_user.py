"""The values of every user that an evaluation leaves, for paired tests."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hashgnn.files import load_arrays


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
