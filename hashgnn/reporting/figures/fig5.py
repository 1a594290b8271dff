"""Figure 5: hit rate against the number of triplets, the length of the code and lambda."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from string import ascii_lowercase
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from hashgnn.evaluation.statistics import over_seeds, read_metrics
from hashgnn.reporting.figures.panels import (
    draw_curve,
    draw_legend,
    label_rows,
    lengths_of_code,
    panel_title,
    panels,
    tick_values,
)
from hashgnn.reporting.figures.style import look, run_figure
from hashgnn.reporting.figures.sweep import CUTOFF, SEARCHES, ratio_is_constant, sweep_rates

LINES = {"hierarchical": "-", "hamming": "--"}


def make(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """``inputs`` are metrics of every training in the grid; a panel a data set and sweep.

    A row of panels for each data set and length of code. A sweep of the length itself has one
    panel a data set, in the first of its rows.
    """
    metrics = read_metrics(args.inputs)
    datasets, sweeps = dict(args.settings["datasets"]), args.settings["sweeps"]
    numbers = pd.concat([sweep_rates(metrics, sweep) for sweep in sweeps], ignore_index=True)
    summary = over_seeds(numbers)
    varied = _vary_length(sweeps)
    lengths = lengths_of_code(numbers[~numbers["sweep"].isin(varied)]) or [0]
    figure, axes = panels(len(sweeps), len(datasets) * len(lengths))
    letters = _letters()
    for panel, (dataset, bits, sweep) in zip(axes, product(datasets, lengths, sweeps), strict=True):
        rows = summary[(summary.dataset == dataset) & (summary.sweep == sweep["id"])]
        title = panel_title(datasets[dataset], bits, lengths)
        if sweep["id"] not in varied:
            rows = rows[rows.bits == bits]
        elif bits == lengths[0]:
            title = datasets[dataset]
        else:
            panel.set_visible(False)
            continue
        _draw_panel(panel, rows, sweep)
        panel.set_title(f"({next(letters)}) {title}")
    label_rows(axes, len(sweeps), f"HR@{CUTOFF}")
    draw_legend(figure, summary)
    return figure, numbers


def _vary_length(sweeps: Sequence[Mapping[str, Any]]) -> list[str]:
    """Ids of the sweeps that vary the length of the code."""
    return [s["id"] for s in sweeps if all(at == bits for at, _, _, bits in s["points"])]


def _letters() -> Iterator[str]:
    """a to z, then aa to zz."""
    yield from ascii_lowercase
    yield from map("".join, product(ascii_lowercase, repeat=2))


def _draw_panel(panel: Axes, rows: pd.DataFrame, sweep: Mapping[str, Any]) -> None:
    for search, label in SEARCHES.items():
        chosen = rows[rows.search == search]
        name = f"{sweep['model_name']}, {label}"
        draw_curve(panel, chosen, "at", look(sweep["model"]), name, linestyle=LINES[search])
    values = rows["at"].unique().tolist()
    if ratio_is_constant(values):
        panel.set_xscale("log", base=2)
        panel.xaxis.set_minor_locator(NullLocator())
    tick_values(panel.xaxis, values, values)
    panel.set_xlabel(sweep["name"])


if __name__ == "__main__":
    sys.exit(run_figure(__doc__, make))
