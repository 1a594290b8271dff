"""Figure 7: hit rate by the guidance's probability p, fixed and falling."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hashgnn.errors import InputError
from hashgnn.evaluation.statistics import over_seeds, read_metrics
from hashgnn.reporting.figures.panels import draw_by_dataset, legend_label, tick_values
from hashgnn.reporting.figures.style import look, run_figure
from hashgnn.reporting.figures.sweep import CUTOFF, SEARCHES, rates, sweep_rates

DYNAMIC = "dynamic"
WIDTH = 0.38  # of a bar; two of them stand side by side
FILLS = {"hierarchical": {"hatch": ""}, "hamming": {"hatch": "////", "alpha": 0.45}}


def make(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """``inputs`` are metrics of every training in the grid: one sweep, and its model itself."""
    metrics, sweep = read_metrics(args.inputs), _only(args.settings["sweeps"])
    datasets = dict(args.settings["datasets"])
    dynamic = rates(metrics)[lambda frame: frame.model == sweep["model"]]
    if dynamic.empty:
        raise InputError(f"grids.fig7.models: lacks {sweep['model']}, whose p falls")
    numbers = pd.concat(
        [sweep_rates(metrics, sweep), dynamic.assign(sweep=sweep["id"], at=DYNAMIC)],
        ignore_index=True,
    )
    title, draw = f"HR@{CUTOFF}, {sweep['model_name']}", partial(_draw_bars, sweep=sweep)
    return draw_by_dataset(over_seeds(numbers), datasets, title, draw), numbers


def _only(sweeps: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(sweeps) != 1:
        raise InputError(f"grids.fig7.sweeps: expected one sweep, got {len(sweeps)}")
    return sweeps[0]


def _draw_bars(panel: Axes, summary: pd.DataFrame, sweep: Mapping[str, Any]) -> None:
    for side, (search, label) in zip((-0.5, 0.5), SEARCHES.items(), strict=True):
        rows = summary[summary.search == search]
        panel.bar(
            _places(len(rows)) + side * WIDTH,
            rows["mean"],
            WIDTH,
            yerr=_whiskers(rows),
            error_kw={"elinewidth": 0.8, "capsize": 1.5},
            color=look(sweep["model"]).color,
            edgecolor="black",
            linewidth=0.5,
            label=legend_label(label),
            **FILLS[search],  # type: ignore[arg-type]
        )
    labels = summary["at"].unique().tolist()
    tick_values(panel.xaxis, _places(len(labels)).tolist(), labels)
    panel.set_xlabel(f"fixed {sweep['name']}, or falling in the course of training")


def _places(count: int) -> np.ndarray:
    """Of the pairs of bars; the last stands apart."""
    places = np.arange(count, dtype=float)
    places[-1] += 0.4
    return places


def _whiskers(rows: pd.DataFrame) -> np.ndarray | None:
    """Lengths [2, rows] down and up to the interval's ends; None without one."""
    if rows["low"].isna().all():
        return None
    return np.array([rows["mean"] - rows["low"], rows["high"] - rows["mean"]])


if __name__ == "__main__":
    sys.exit(run_figure(__doc__, make))
