"""Draw training speed by batch size and by size of the graph, and the way to a validation HR."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from benchmarks.search_figure import Lines, draw_lines
from hashgnn.config.methods import PALETTE
from hashgnn.reporting.figures.style import (
    artist_label,
    line_style,
    name_curves,
    panels,
    save_figure,
    use_style,
)

DATASETS = {"movielens": "MovieLens-1M", "gowalla": "Gowalla"}


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw a row of panels: speed on each data set, on growing graphs, and validation HR."""
    use_style()
    figure, axes = panels(2, 2)
    names = list(_by_batch(rows))
    for panel, (dataset, name) in zip(axes, DATASETS.items(), strict=False):
        draw_lines(panel, _by_batch([row for row in rows if row["dataset"] == dataset]), names)
        panel.set(xlabel="interactions per step", ylabel="interactions per second", title=name)
        panel.set_xticks(sorted({row["batch"] for row in rows if "peer_edges_per_s" in row}))
    draw_lines(axes[2], _by_size(rows), ["ours, sampled"])
    axes[2].set_yscale("linear")
    axes[2].set(
        xlabel="training interactions", ylabel="seconds per million", title="generated graphs"
    )
    _draw_courses(axes[3], rows)
    name_curves(figure, "median of rounds; solid: this project, dashed: other libraries")
    save_figure(figure, path)


def _by_batch(rows: Sequence[dict[str, Any]]) -> Lines:
    """Return interactions per second by batch size, by engine or library."""
    lines: Lines = {"ours, sampled": {}, "ours, full": {}}
    for row in rows:
        if "peer_edges_per_s" in row and row["peer"] != row["engine"]:
            lines[f"ours, {row['engine']}"][row["batch"]] = row["edges_per_s"]
            lines.setdefault(row["peer"], {})[row["batch"]] = row["peer_edges_per_s"]
    return {name: points for name, points in lines.items() if points}


def _by_size(rows: Sequence[dict[str, Any]]) -> Lines:
    """Return seconds per million interactions by size of the graph, of the largest batch."""
    grown = [row for row in rows if "seconds_per_million_edges" in row]
    largest = max((row["batch"] for row in grown), default=0)
    points = {
        row["training_interactions"]: row["seconds_per_million_edges"]
        for row in grown
        if row["batch"] == largest
    }
    return {"ours, sampled": points} if points else {}


def _draw_courses(panel: Axes, rows: Sequence[dict[str, Any]]) -> None:
    """Draw validation HR@50 against seconds of training, of large and of the paper's batches."""
    for row in (row for row in rows if "course" in row):
        batches = {f"batches of {row['batch']:,}": "course", "batches of 256": "peer_course"}
        for (name, key), look in zip(batches.items(), PALETTE[8:], strict=False):
            panel.plot(*zip(*row[key], strict=True), label=artist_label(name), **line_style(look))
        panel.set_title(DATASETS.get(row["dataset"], row["dataset"]))
    panel.set(xlabel="seconds of training", ylabel="HR@50, validation")
