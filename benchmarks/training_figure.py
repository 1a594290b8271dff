"""training.svg: edges a second by batch size, the growing graph, and time to a validation HR."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from hashgnn.files import atomic_write

Lines = dict[str, dict[float, float]]


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Whatever of the three the rows hold."""
    plt.rcParams["svg.hashsalt"] = "training"
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    _lines(axes[0], _by_batch(rows), "interactions a step", "interactions a second")
    _lines(axes[1], _by_size(rows), "training interactions", "seconds per million")
    for row in (row for row in rows if "course" in row):
        for key, label in (("course", f"batch {row['batch']:,}"), ("peer_course", "batch 256")):
            axes[2].plot(*zip(*row[key], strict=True), marker="o", label=label)
    axes[2].set_xlabel("seconds of training")
    axes[2].set_ylabel("validation HR@50")
    for each in axes:
        if each.get_legend_handles_labels()[0]:
            each.legend(fontsize="small")
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None})
    plt.close(figure)


def _by_batch(rows: Sequence[dict[str, Any]]) -> Lines:
    lines: Lines = {}
    for row in rows:
        if "peer_edges_per_s" in row and row["peer"] != row["engine"]:
            data, batch = row["dataset"], row["batch"]
            lines.setdefault(f"ours, {row['engine']}, {data}", {})[batch] = row["edges_per_s"]
            lines.setdefault(f"{row['peer']}, {data}", {})[batch] = row["peer_edges_per_s"]
    return lines


def _by_size(rows: Sequence[dict[str, Any]]) -> Lines:
    lines: Lines = {}
    for row in rows:
        if "seconds_per_million_edges" in row:
            line = lines.setdefault(f"batch {row['batch']:,}", {})
            line[row["training_interactions"]] = row["seconds_per_million_edges"]
    return lines


def _lines(axes: Any, lines: Lines, x: str, y: str) -> None:
    for name, points in sorted(lines.items()):
        style = {"linewidth": 2} if name.startswith("ours") else {"linestyle": "--"}
        axes.loglog(*zip(*sorted(points.items()), strict=True), marker="o", label=name, **style)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
