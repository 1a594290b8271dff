"""The metrics of a sweep's trainings: what figures 5 and 7 have in common."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from hashgnn.evaluation.statistics import at_cutoff

CUTOFF = 50
SEARCHES = {"hierarchical": "hierarchical search", "hamming": "Hamming search"}


def sweep_rates(metrics: pd.DataFrame, sweep: Mapping[str, Any]) -> pd.DataFrame:
    """HR@50 of both searches at each point of ``sweep``.

    ``sweep``: a mapping with ``id`` and ``points``, rows of value, data set, model and bits. The
    columns ``sweep`` and ``at`` come before those of ``metrics``.
    """
    columns = ["at", "dataset", "model", "bits"]
    points = pd.DataFrame(sweep["points"], columns=columns)
    return points.assign(sweep=sweep["id"]).merge(rates(metrics), on=columns[1:], how="inner")


def rates(metrics: pd.DataFrame) -> pd.DataFrame:
    """HR@50 of the searches that use codes."""
    shown = at_cutoff(metrics, CUTOFF)
    return shown[(shown.metric == "hr") & shown.search.isin(SEARCHES)]


def ratio_is_constant(values: Sequence[Any]) -> bool:
    """Whether numbers grow by one factor, as 8, 16, 32 do: they belong on a logarithmic axis."""
    if len(values) < 3 or not all(isinstance(v, int | float) and v > 0 for v in values):
        return False
    factors = {round(b / a, 9) for a, b in pairwise(values)}
    return len(factors) == 1
