"""Panels and what stands in them: curves with intervals, ticks, one legend above all."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from hashgnn.reporting.figures.style import COLUMN, PAGE, Look

HEIGHT = 2.0  # inches, without the legend
ROW = 0.16  # inches: a row of the legend


def panels(columns: int, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Panels, row by row: a single one as wide as a column of text, several as a page."""
    width = COLUMN if columns == 1 else PAGE
    # Not pyplot's, which keeps all figures that it makes.
    figure = Figure(figsize=(width, rows * HEIGHT), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def draw_by_dataset(
    summary: pd.DataFrame,
    datasets: Mapping[str, str],
    title: str,
    draw: Callable[[Axes, pd.DataFrame], None],
) -> Figure:
    """A panel for each of ``datasets`` (id to name), in a row for each length of code.

    ``draw`` is given a panel and its rows of ``summary``; ``title`` is the vertical axis's.
    """
    lengths = lengths_of_code(summary)
    figure, axes = panels(len(datasets), len(lengths))
    places = product(lengths, datasets.items())
    for panel, (bits, (dataset, name)) in zip(axes, places, strict=True):
        draw(panel, summary[(summary.dataset == dataset) & (summary.bits == bits)])
        panel.set_title(panel_title(name, bits, lengths))
    label_rows(axes, len(datasets), title)
    draw_legend(figure, summary)
    return figure


def lengths_of_code(frame: pd.DataFrame) -> list[int]:
    """The lengths in the column ``bits``: figures have a row of panels for each."""
    return sorted(frame["bits"].unique().tolist())


def panel_title(dataset: str, bits: int, lengths: Sequence[int]) -> str:
    """The data set, and the length of the code where there are several."""
    return dataset if len(lengths) == 1 else f"{dataset}, {bits} bits"


def label_rows(axes: Sequence[Axes], columns: int, title: str) -> None:
    """``title`` beside the vertical axis of the first panel that is shown in each row."""
    for start in range(0, len(axes), columns):
        shown = [panel for panel in axes[start : start + columns] if panel.get_visible()]
        if shown:
            shown[0].set_ylabel(title)


def legend_label(name: str) -> str:
    """What an artist is to be labelled with: matplotlib leaves out labels that begin with ``_``."""
    return f"={name}"


def draw_curve(
    panel: Axes, rows: pd.DataFrame, x: str, look: Look, name: str, **style: Any
) -> None:
    """``mean`` of ``rows`` against their column ``x``; a band from ``low`` to ``high``.

    ``name`` is how the legend calls it.
    """
    style = {"color": look.color, "marker": look.marker, "label": legend_label(name), **style}
    panel.plot(rows[x], rows["mean"], **style)
    if rows["low"].notna().any():
        panel.fill_between(
            rows[x], rows["low"], rows["high"], color=look.color, alpha=0.2, linewidth=0
        )


def draw_legend(figure: Figure, summary: pd.DataFrame) -> None:
    """All labels of the figure once, above the panels, and what the intervals are.

    They were made by ``legend_label``.
    """
    labels: dict[str, Any] = {}
    for panel in figure.axes:
        handles, names = panel.get_legend_handles_labels()
        labels |= {name[1:]: handle for name, handle in zip(names, handles, strict=True)}
    longest = max(map(len, labels), default=0)
    inches = 0.35 + 0.055 * longest  # of the longest label with its line
    columns = min(max(1, int(figure.get_figwidth() / inches)), max(1, len(labels)))
    spec = figure.axes[0].get_subplotspec()
    assert spec is not None  # it is one of ``panels``
    height = spec.get_gridspec().nrows * HEIGHT
    figure.set_figheight(height + ROW * (1 + -(-len(labels) // columns)))
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
