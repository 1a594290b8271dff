"""What tables of methods show: which searches and metrics, and a cell's mean, interval, place."""

from collections.abc import Sequence

import pandas as pd

from hashgnn.tables.formats import Mark, Marked

CUTOFFS = (50, 100)
METRICS = {"hr": "HR", "ndcg": "NDCG"}

_MARKS: dict[int, Mark] = {1: "bold", 2: "underlined"}


def select(frame: pd.DataFrame, continuous: Sequence[str]) -> pd.DataFrame:
    """Hierarchical search, but continuous search for the methods named in ``continuous``."""
    own_search = frame.model.isin(continuous).map({True: "continuous", False: "hierarchical"})
    shown = (frame.search == own_search) & frame.metric.isin(METRICS) & frame.n.isin(CUTOFFS)
    return frame[shown]


def place(means: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Place of each row of ``means`` among those with the same ``keys``; the highest mean is 1."""
    return means.groupby(keys)["mean"].rank(ascending=False, method="first")


def marked(chosen: pd.DataFrame) -> pd.Series:
    """A cell for each row of ``chosen`` (mean, low, high, place), by model and bits.

    The best is bold, the second underlined.
    """
    chosen = chosen.set_index(["model", "bits"])
    cells = [_cell(*row) for row in zip(chosen["mean"], chosen["low"], chosen["high"], strict=True)]
    made = [
        Marked(cell, _MARKS[int(number)]) if number in _MARKS else cell
        for number, cell in zip(chosen["place"], cells, strict=True)
    ]
    return pd.Series(made, index=chosen.index, dtype=object)


def _cell(mean: float, low: float, high: float) -> str:
    """The mean, with its 95 % interval where there are several seeds."""
    return f"{mean:.4f}" if pd.isna(low) else f"{mean:.4f} [{low:.4f}, {high:.4f}]"
