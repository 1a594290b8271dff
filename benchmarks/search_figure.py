"""Draw the time per query against the number of items, of our searches and of other libraries."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, NullFormatter

from hashgnn.config.methods import PALETTE
from hashgnn.reporting.figures import FOREMOST
from hashgnn.reporting.figures.style import (
    COLUMN,
    artist_label,
    line_style,
    name_curves,
    panels,
    save_figure,
    use_style,
)

BITS, K, THREADS = 32, 100, 1  # of the cases that are measured
SHOWN = ("hamming", "hierarchical, 500 candidates", "continuous")
Lines = dict[str, dict[float, float]]


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw a curve per search and library, at ``BITS``, ``K`` and ``THREADS``."""
    use_style()
    lines = _by_items(rows)
    figure, (panel,) = panels(1)
    figure.set_figwidth(1.5 * COLUMN)
    draw_lines(panel, lines, list(lines))
    panel.set(xlabel="items", ylabel="µs per query")
    panel.set_title(f"top {K}, {BITS} bits or dimensions, one thread")
    name_curves(figure, "median of rounds; solid: this project, dashed: other libraries")
    save_figure(figure, path)


def draw_lines(panel: Axes, lines: Lines, names: Sequence[str]) -> None:
    """Draw curves on logarithmic axes: those named ``ours`` solid, on top; the others dashed.

    ``names`` gives the looks by order.
    """
    panel.set(xscale="log", yscale="log")
    for name, points in lines.items():
        style = FOREMOST if name.startswith("ours") else {"linestyle": "--", "zorder": 3}
        panel.plot(
            *zip(*sorted(points.items()), strict=True),
            label=artist_label(name),
            **line_style(PALETTE[names.index(name) % len(PALETTE)]),
            **style,
        )
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(EngFormatter(sep=""))
        axis.set_minor_formatter(NullFormatter())


def _by_items(rows: Sequence[dict[str, Any]]) -> Lines:
    """Return microseconds per query by number of items, by search or library."""
    lines: Lines = {}
    for row in rows:
        chosen = row["bits"] == BITS and row["k"] == K and row["threads"] == THREADS
        if chosen and "ratio" in row and row["search"] in SHOWN:
            lines.setdefault(f"ours: {row['search']}", {})[row["items"]] = row["us_per_query"]
            if row["peer"] != "continuous":
                lines.setdefault(row["peer"], {})[row["items"]] = row["peer_us_per_query"]
    return lines
