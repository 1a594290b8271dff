"""The style of all figures: sizes, fonts, looks of methods, names of curves, files without dates.

Curves are named at their ends where the names fit, else in a legend.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text
from scipy.optimize import isotonic_regression

from hashgnn.config.methods import Look
from hashgnn.files import atomic_write

# Inches: one column of a two-column page, both, a panel.
COLUMN, PAGE, HEIGHT = 3.35, 7.0, 2.0

# On top of seaborn's "paper" context and its "whitegrid" style.
_PRINT = {
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#333333",
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "pdf.fonttype": 42,  # fonts stay fonts
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "hashgnn",  # equal data give equal files
    "text.parse_math": False,  # "$" begins no formula in a name
}

# Markers of equal size look unequally large.
_SIZES = {"*": 7.0, "D": 3.8, "s": 4.2, "P": 5.2, "X": 5.2}

# Of the names of curves.
_ROW = 0.16  # inches: a row of the legend, or of the note
_WIDEST = 0.42  # of the figure's width, for names at the ends of curves
_FARTHEST = 1.5  # heights of a name by which it may be moved from the end of its curve


def use_style() -> None:
    """Set the theme of all figures; a ``matplotlibrc`` of the user has no effect."""
    mpl.use("Agg")
    mpl.rcdefaults()
    sns.set_theme(context="paper", style="whitegrid", rc=_PRINT)


def panels(columns: int, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure and its panels, row by row: column width for one panel, else page width."""
    width = COLUMN if columns == 1 else PAGE
    # Not made by pyplot, which would keep every figure in memory.
    figure = Figure(figsize=(width, rows * HEIGHT), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def look(settings: Mapping[str, Any], model: str) -> Look:
    """Return the look that the config gives to a method (settings key ``looks``)."""
    return Look(*settings["looks"][model])


def counterpart(look: Look) -> Look:
    """Return a look with the marker open instead of filled, or filled instead of open."""
    shape = look.marker.removeprefix("open ")
    return look._replace(marker=shape if shape != look.marker else f"open {shape}")


def line_style(look: Look) -> dict[str, Any]:
    """Return the properties of a line that show ``look``."""
    shape = look.marker.removeprefix("open ")
    is_open = shape != look.marker
    return {
        "color": look.color,
        "marker": shape,
        "markersize": _SIZES.get(shape, mpl.rcParams["lines.markersize"]),
        "markerfacecolor": "white" if is_open else look.color,
        "markeredgecolor": look.color if is_open else "white",
        "markeredgewidth": 1.0 if is_open else 0.4,
    }


def readable(color: str) -> str:
    """Return ``color``, darkened until text in it has a contrast of 4.5 on white (WCAG 2.1)."""
    rgb = to_rgb(color)
    while _luminance(rgb) > 1.05 / 4.5 - 0.05:
        rgb = (rgb[0] * 0.95, rgb[1] * 0.95, rgb[2] * 0.95)
    return str(to_hex(rgb))


def _luminance(rgb: tuple[float, float, float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def save_figure(figure: Figure, *paths: Path) -> None:
    """Write a figure as PDF or SVG, by suffix, without dates: equal data give equal files."""
    dated = {".pdf": "CreationDate", ".svg": "Date"}
    for path in paths:
        with atomic_write(path) as temporary:
            figure.savefig(
                temporary,
                format=path.suffix[1:],
                bbox_inches="tight",
                metadata={dated[path.suffix]: None},
            )


def artist_label(name: str) -> str:
    """Return the label of an artist: matplotlib leaves out labels that begin with ``_``."""
    return f"={name}"


def name_curves(figure: Figure, note: str) -> None:
    """Name all curves of a figure, and write ``note`` below it.

    Names are at the right ends of the curves if the panels are in one column and the names fit
    without overlap, else in a legend in the order of the ends of the first panel's curves. Names of
    points (``name_point``) are moved apart, and all curves are then in a legend.
    """
    grid = _grid(figure)
    figure.set_figheight(grid[0] * HEIGHT + _ROW)
    figure.supxlabel(note, fontsize=6.5, color="#555555")
    has_points = any(panel.texts for panel in figure.axes)
    if has_points or grid[1] > 1 or not _name_ends(figure):
        draw_legend(figure)
    if has_points:
        figure.draw_without_rendering()
        for panel in figure.axes:
            _spread_names(panel, beside=True)
            _move_title(panel)


def name_point(
    panel: Axes, name: str, point: tuple[float, float], color: str, line: str = "-"
) -> Annotation:
    """Write ``name`` right of the panel, with a line in the style ``line`` to ``point``."""
    return panel.annotate(
        name,
        point,
        (1.03, 0.5),
        textcoords="axes fraction",
        verticalalignment="center",
        fontsize=7.5,
        color=readable(color),
        arrowprops={
            "arrowstyle": "-",
            "color": color,
            "linewidth": 0.6,
            "linestyle": line,
            "shrinkA": 1,
            "shrinkB": 4,
            "relpos": (0, 0.5),
        },
    )


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


def spread(
    places: Sequence[float], gap: float, within: tuple[float, float] = (-np.inf, np.inf)
) -> np.ndarray:
    """Return ascending ``places`` moved as little as possible to be ``gap`` apart (least squares).

    Isotonic regression of the places minus multiples of the gap, which is clipped to keep all
    ``within`` two bounds, the upper one of which gives way where there is no room.
    """
    steps = gap * np.arange(len(places))
    low, high = within
    found = isotonic_regression(np.asarray(places) - steps).x
    return np.asarray(np.clip(found, low, max(low, high - steps[-1])) + steps)


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
        _move_title(panel)
    return fits


def _move_title(panel: Axes) -> None:
    """Begin the title at the left: it is longer than what the names leave of the panel."""
    panel.title.set(horizontalalignment="left", x=0.0)


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
            end, color = (points[-1, 0], points[-1, 1]), to_hex(line.get_color())
            made.append(name_point(panel, label[1:], end, color, str(line.get_linestyle())))
    return made


def _spread_names(panel: Axes, beside: bool = False) -> bool:
    """Move names to the heights of their curves' ends; return whether they fit.

    With ``beside``, none is moved above or below the panel.
    """
    notes = [text for text in panel.texts if isinstance(text, Annotation)]
    if not notes:
        return True
    box = panel.get_window_extent()
    ends = [(panel.transData.transform(note.xy)[1] - box.y0) / box.height for note in notes]
    gap = 1.15 * max(_size(note)[1] for note in notes) / box.height
    order = np.argsort(ends, kind="stable")
    margin = gap / 2 if beside else -np.inf
    placed = spread([ends[place] for place in order], gap, (margin, 1 - margin))
    for place, height in zip(order, placed, strict=True):
        notes[place].set_position((1.03, float(height)))
    moved = np.abs(placed - np.sort(ends)).max()
    return bool(moved <= _FARTHEST * gap and placed[0] > -gap and placed[-1] < 1 + gap)
