"""search.svg: time a query against the number of items, ours and the peers'."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from hashgnn.files import atomic_write

BITS, K, THREADS = 32, 100, 1  # of the three that are measured, the paper's own


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """One line a search or peer, at ``BITS`` bits, ``K`` items wanted and ``THREADS`` threads."""
    lines: dict[str, dict[int, float]] = {}
    for row in rows:
        chosen = row["bits"] == BITS and row["k"] == K and row["threads"] == THREADS
        if not chosen or "ratio" not in row or "," in row["search"].replace(", 500", ""):
            continue
        lines.setdefault(f"ours: {row['search']}", {})[row["items"]] = row["us_per_query"]
        if row["peer"] != "continuous":
            lines.setdefault(row["peer"], {})[row["items"]] = row["peer_us_per_query"]
    plt.rcParams["svg.hashsalt"] = "search"
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, points in sorted(lines.items()):
        style = {"linewidth": 2} if name.startswith("ours") else {"linestyle": "--"}
        axes.loglog(*zip(*sorted(points.items()), strict=True), marker="o", label=name, **style)
    axes.set_xlabel("items")
    axes.set_ylabel("microseconds a query")
    axes.set_title(f"Exact top {K}, {BITS} bits or dimensions, one thread")
    axes.legend(fontsize="small")
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None})
    plt.close(figure)
