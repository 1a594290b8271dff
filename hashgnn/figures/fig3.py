"""Figure 3: hit rate of Hamming search against the length of the list."""

import argparse
import sys

import pandas as pd
from matplotlib.figure import Figure

from hashgnn.figures.command import run_figure
from hashgnn.figures.panels import draw_legend, panels
from hashgnn.figures.rates import Curve, draw_rates, select_rates
from hashgnn.metrics.tidy import over_seeds, read_metrics

REFERENCE = "graphsage"


def make(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """``inputs`` are metrics of every training in the grid."""
    datasets, models = dict(args.settings["datasets"]), dict(args.settings["models"])
    curves = _curves(models)
    numbers = select_rates(read_metrics(args.inputs), curves)
    summary = over_seeds(numbers)
    figure, axes = panels(len(datasets))
    for panel, (dataset, name) in zip(axes, datasets.items(), strict=True):
        draw_rates(panel, summary[summary.dataset == dataset], curves)
        panel.set_title(name)
    axes[0].set_ylabel("HR@n, Hamming search")
    draw_legend(figure, summary)
    return figure, numbers


def _curves(models: dict[str, str]) -> list[Curve]:
    """Every method that has codes by Hamming distance; the reference by inner product too."""
    curves = [
        Curve(model, "hamming", f"{name} (sign)" if model == REFERENCE else name)
        for model, name in models.items()
    ]
    if REFERENCE in models:
        name = f"{models[REFERENCE]} (continuous)"
        curves.append(Curve(REFERENCE, "continuous", name, dashed=True))
    return curves


if __name__ == "__main__":
    sys.exit(run_figure(__doc__, make))
