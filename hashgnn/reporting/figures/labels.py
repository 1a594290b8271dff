"""Name the curves of a figure: at their ends where the names fit, else in a legend."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text
from scipy.optimize import isotonic_regression

from hashgnn.reporting.figures.style import HEIGHT, readable

_ROW = 0.16  # inches: a row of the legend, or of the note
_WIDEST = 0.42  # of the figure's width, for names at the ends of curves
_FARTHEST = 1.5  # heights of a name by which it may be moved from the end of its curve


def artist_label(name: str) -> str:
    """Return the label of an artist: matplotlib leaves out labels that begin with ``_``."""
    return f"={name}"


def name_curves(figure: Figure, note: str) -> None:
    """Name all curves of a figure, and write ``note`` below it.

    Names are at the right ends of the curves if the panels are in one column and the names fit
    without overlap, else in a legend in the order of the ends of the first panel's curves.
    """
    grid = _grid(figure)
    figure.set_figheight(grid[0] * HEIGHT + _ROW)
    figure.supxlabel(note, fontsize=6.5, color="#555555")
    if grid[1] > 1 or not _name_ends(figure):
        draw_legend(figure)


def draw_legend(figure: Figure) -> None:
    """Draw one legend above all panels, in the order of the curves, row by row."""
    labels: dict[str, Artist] = {}
    for panel in figure.axes:
        handles, names = panel.get_legend_handles_labels()
        pairs = list(zip(handles, names, strict=True))
        for handle, name in sorted(pairs, key=lambda pair: -_height(pair[0])):
            labels.setdefault(name[1:], handle)
    longest = max(map(len, labels), default=0)
    inches = 0.35 + 0.055 * longest  # width of the longest label with its line
    fitting = min(max(1, int(figure.get_figwidth() / inches)), max(1, len(labels)))
    rows = -(-len(labels) // fitting)
    columns = -(-len(labels) // max(1, rows))
    figure.set_figheight(figure.get_figheight() + _ROW * rows)
    # matplotlib fills columns.
    order = [name for first in range(columns) for name in list(labels)[first::columns]]
    figure.legend(
        [labels[name] for name in order], order, loc="outside upper center", ncols=columns
    )


def seeds_note(numbers: pd.DataFrame, interval: str = "band") -> str:
    """Return what a figure shows: the number of seeds, and what a ``band`` or ``whisker`` is."""
    seeds = numbers.groupby(["dataset", "model", "bits"])["seed"].nunique()
    least, most = seeds.min(), seeds.max()
    if most == 1:
        return "one seed, no intervals"
    number = f"{most}" if least == most else f"{least} to {most}"
    return f"mean of {number} seeds; {interval}: 95 % t interval of the mean"


def spread(places: Sequence[float], gap: float) -> np.ndarray:
    """Return ascending ``places`` moved as little as possible to be ``gap`` apart (least squares).

    Isotonic regression of the places minus multiples of the gap.
    """
    steps = gap * np.arange(len(places))
    return np.asarray(isotonic_regression(np.asarray(places) - steps).x + steps)


def _grid(figure: Figure) -> tuple[int, int]:
    spec = figure.axes[0].get_subplotspec()
    assert spec is not None  # the panel is one of ``panels``
    grid = spec.get_gridspec()
    return grid.nrows, grid.ncols


def _height(curve: Artist) -> float:
    """Return the value at the end of a curve; that of the first one of markers with whiskers."""
    line = curve[0] if isinstance(curve, ErrorbarContainer) else curve
    values = np.asarray(line.get_ydata(), float) if isinstance(line, Line2D) else np.empty(0)
    values = values[np.isfinite(values)]
    return float(values[-1]) if len(values) else float("-inf")


def _name_ends(figure: Figure) -> bool:
    """Name curves at their ends; if that does not fit, leave the figure as it is: return False."""
    made = [note for panel in figure.axes for note in _annotate(panel)]
    figure.draw_without_rendering()
    widest = max((_size(note)[0] for note in made), default=0)
    fits = widest <= _WIDEST * figure.bbox.width and all(map(_spread_names, figure.axes))
    for note in [] if fits else made:
        note.remove()
    for panel in figure.axes if fits else []:
        panel.title.set(horizontalalignment="left", x=0.0)  # longer than what is left of the panel
    return fits


def _size(note: Annotation) -> tuple[float, float]:
    """Return width and height of the text, without its line, in pixels."""
    box = Text.get_window_extent(note)
    return box.width, box.height


def _annotate(panel: Axes) -> list[Annotation]:
    """Write the name of each curve right of the panel, with a line to the end of the curve."""
    made = []
    for line in panel.get_lines():
        label, points = str(line.get_label()), np.asarray(line.get_xydata(), float)
        points = points[np.isfinite(points).all(axis=1)]
        if label.startswith("=") and len(points):
            color = to_hex(line.get_color())
            made.append(
                panel.annotate(
                    label[1:],
                    (points[-1, 0], points[-1, 1]),
                    (1.03, 0.5),
                    textcoords="axes fraction",
                    verticalalignment="center",
                    fontsize=7.5,
                    color=readable(color),
                    arrowprops={
                        "arrowstyle": "-",
                        "color": color,
                        "linewidth": 0.6,
                        "linestyle": line.get_linestyle(),
                        "shrinkA": 1,
                        "shrinkB": 4,
                        "relpos": (0, 0.5),
                    },
                )
            )
    return made


def _spread_names(panel: Axes) -> bool:
    """Move names to the heights of their curves' ends; return whether they fit."""
    notes = [text for text in panel.texts if isinstance(text, Annotation)]
    if not notes:
        return True
    box = panel.get_window_extent()
    ends = [(panel.transData.transform(note.xy)[1] - box.y0) / box.height for note in notes]
    gap = 1.15 * max(_size(note)[1] for note in notes) / box.height
    order = np.argsort(ends, kind="stable")
    placed = spread([ends[place] for place in order], gap)
    for place, height in zip(order, placed, strict=True):
        notes[place].set_position((1.03, float(height)))
    moved = np.abs(placed - np.sort(ends)).max()
    return bool(moved <= _FARTHEST * gap and placed[0] > -gap and placed[-1] < 1 + gap)
