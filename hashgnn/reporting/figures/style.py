"""The style of all figures: sizes, fonts, the looks of methods, files without dates."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

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
