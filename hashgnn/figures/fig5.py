"""Figure 5: hit rate against the number of triplets, the length of the code and lambda."""

import argparse
import sys
from collections.abc import Mapping
from string import ascii_lowercase
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from hashgnn.figures.command import run_figure
from hashgnn.figures.panels import draw_curve, draw_legend, panels, tick_values
from hashgnn.figures.style import look
from hashgnn.figures.sweep import CUTOFF, SEARCHES, ratio_is_constant, sweep_rates
from hashgnn.metrics.tidy import over_seeds, read_metrics

LINES = {"hierarchical": "-", "hamming": "--"}


def make(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """``inputs`` are metrics of every training in the grid; a panel a data set and sweep."""
    metrics = read_metrics(args.inputs)
    datasets, sweeps = dict(args.settings["datasets"]), args.settings["sweeps"]
    numbers = pd.concat([sweep_rates(metrics, sweep) for sweep in sweeps], ignore_index=True)
    summary = over_seeds(numbers)
    figure, axes = panels(len(sweeps) * len(datasets))
    places = [(dataset, sweep) for dataset in datasets for sweep in sweeps]
    for letter, panel, (dataset, sweep) in zip(ascii_lowercase, axes, places, strict=False):
        rows = summary[(summary.dataset == dataset) & (summary.sweep == sweep["id"])]
        _draw_panel(panel, rows, sweep)
        panel.set_title(f"({letter}) {datasets[dataset]}")
    axes[0].set_ylabel(f"HR@{CUTOFF}")
    draw_legend(figure, summary)
    return figure, numbers


def _draw_panel(panel: Axes, rows: pd.DataFrame, sweep: Mapping[str, Any]) -> None:
    for search, label in SEARCHES.items():
        chosen = rows[rows.search == search]
        style = {"label": f"{sweep['model_name']}, {label}", "linestyle": LINES[search]}
        draw_curve(panel, chosen, "at", look(sweep["model"]), **style)
    values = rows["at"].unique().tolist()
    if ratio_is_constant(values):
        panel.set_xscale("log", base=2)
        panel.xaxis.set_minor_locator(NullLocator())
    tick_values(panel.xaxis, values, values)
    panel.set_xlabel(sweep["name"])


if __name__ == "__main__":
    sys.exit(run_figure(__doc__, make))
