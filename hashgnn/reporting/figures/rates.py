"""HR@n against the length n of the list: what figures 1 and 3 have in common."""

from functools import partial
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hashgnn.evaluation.statistics import over_seeds
from hashgnn.reporting.figures.panels import draw_by_dataset, draw_curve
from hashgnn.reporting.figures.style import look


class Curve(NamedTuple):
    """A method ranked by one of its searches, and how the curve is called and drawn."""

    model: str
    search: str
    label: str
    dashed: bool = False


def plot_rates(
    metrics: pd.DataFrame, datasets: dict[str, str], curves: list[Curve], title: str
) -> tuple[Figure, pd.DataFrame]:
    """A panel for each of ``datasets`` (id to name), and the rows of ``metrics`` it shows.

    A row of panels for each length of code. ``title``: of the vertical axis.
    """
    numbers = select_rates(metrics, curves)
    draw = partial(draw_rates, curves=curves)
    return draw_by_dataset(over_seeds(numbers), datasets, title, draw), numbers


def select_rates(frame: pd.DataFrame, curves: list[Curve]) -> pd.DataFrame:
    """The rows of HR that the curves show."""
    wanted = {(curve.model, curve.search) for curve in curves}
    shown = [pair in wanted for pair in zip(frame.model, frame.search, strict=True)]
    return frame[pd.Series(shown, frame.index) & (frame.metric == "hr")].sort_values(
        ["dataset", "model", "bits", "search", "n", "seed"], ignore_index=True
    )


def draw_rates(panel: Axes, summary: pd.DataFrame, curves: list[Curve]) -> None:
    """A curve for each of ``curves`` with rows in ``summary``, of one data set and length."""
    for curve in curves:
        rows = summary[(summary.model == curve.model) & (summary.search == curve.search)]
        if rows.empty:
            continue
        style = {"linestyle": "--", "marker": ""} if curve.dashed else {}
        draw_curve(panel, rows, "n", look(curve.model), curve.label, **style)
    panel.set_xticks(sorted(summary.n.unique()))
    panel.set_xlabel("length of the list n")
    panel.set_ylim(bottom=0)
