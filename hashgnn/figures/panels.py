"""Panels and what stands in them: curves with intervals, ticks, one legend above all."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from hashgnn.figures.style import COLUMN, PAGE, Look

HEIGHT = 2.0  # inches, without the legend
ROW = 0.16  # inches: a row of the legend


def panels(count: int) -> tuple[Figure, list[Axes]]:
    """``count`` panels side by side: one or two as wide as a column of text, more as a page."""
    width = COLUMN if count == 1 else PAGE
    figure, axes = plt.subplots(
        1, count, figsize=(width, HEIGHT), squeeze=False, layout="constrained"
    )
    return figure, list(axes[0])


def draw_curve(panel: Axes, rows: pd.DataFrame, x: str, look: Look, **style: Any) -> None:
    """``mean`` of ``rows`` against their column ``x``; a band from ``low`` to ``high``."""
    style = {"color": look.color, "marker": look.marker, **style}
    panel.plot(rows[x], rows["mean"], **style)
    if rows["low"].notna().any():
        panel.fill_between(
            rows[x], rows["low"], rows["high"], color=look.color, alpha=0.2, linewidth=0
        )


def draw_legend(figure: Figure, summary: pd.DataFrame) -> None:
    """All labels of the figure once, above the panels, and what the intervals are."""
    labels: dict[str, Any] = {}
    for panel in figure.axes:
        handles, names = panel.get_legend_handles_labels()
        labels |= dict(zip(names, handles, strict=True))
    longest = max(map(len, labels), default=0)
    inches = 0.35 + 0.055 * longest  # of the longest label with its line
    columns = min(max(1, int(figure.get_figwidth() / inches)), max(1, len(labels)))
    figure.set_figheight(HEIGHT + ROW * (1 + -(-len(labels) // columns)))
    figure.legend(
        labels.values(),
        labels.keys(),
        loc="outside upper center",
        ncols=columns,
        title=seeds_note(summary),
    )


def tick_values(axis: Axis, places: Sequence[float], values: Sequence[Any]) -> None:
    """Label ``places`` with ``values``, every second or third where all would not fit."""
    step = -(-len(places) // 8)
    labels = [f"{v:g}" if isinstance(v, int | float) else str(v) for v in values]
    axis.set_ticks(places[::step], labels[::step])


def seeds_note(summary: pd.DataFrame) -> str:
    """What a mark stands for: over how many seeds."""
    least, most = summary.seeds.min(), summary.seeds.max()
    if most == 1:
        return "one seed (n = 1)"
    number = f"n = {most}" if least == most else f"n = {least} to {most}"
    return f"mean over seeds and its 95 % t interval ({number})"
