"""Figure 1: the gap between continuous vectors and hash codes, as hit rate."""

import argparse
import sys

import pandas as pd
from matplotlib.figure import Figure

from hashgnn.figures.command import run_figure
from hashgnn.figures.panels import draw_legend, panels
from hashgnn.figures.rates import Curve, draw_rates, select_rates
from hashgnn.metrics.tidy import over_seeds, read_metrics


def make(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """``inputs`` are metrics of every training in the grid."""
    datasets, models = dict(args.settings["datasets"]), dict(args.settings["models"])
    curves = [_curve(model, name, args.settings["continuous"]) for model, name in models.items()]
    numbers = select_rates(read_metrics(args.inputs), curves)
    summary = over_seeds(numbers)
    figure, axes = panels(len(datasets))
    for panel, (dataset, name) in zip(axes, datasets.items(), strict=True):
        draw_rates(panel, summary[summary.dataset == dataset], curves)
        panel.set_title(name)
    axes[0].set_ylabel("HR@n")
    draw_legend(figure, summary)
    return figure, numbers


def _curve(model: str, name: str, continuous: list[str]) -> Curve:
    """Continuous methods by inner product, the others by Hamming distance."""
    if model in continuous:
        return Curve(model, "continuous", f"{name}, continuous")
    return Curve(model, "hamming", f"{name}, Hamming")


if __name__ == "__main__":
    sys.exit(run_figure(__doc__, make))
