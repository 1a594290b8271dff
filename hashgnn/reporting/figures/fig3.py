"""Figure 3: hit rate of Hamming search against the length of the list."""

import argparse
import sys

import pandas as pd
from matplotlib.figure import Figure

from hashgnn.evaluation.statistics import read_metrics
from hashgnn.reporting.figures.rates import Curve, plot_rates
from hashgnn.reporting.figures.style import run_figure

REFERENCE = "graphsage"


def make(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """``inputs`` are metrics of every training in the grid."""
    datasets, models = dict(args.settings["datasets"]), dict(args.settings["models"])
    curves = _curves(models)
    return plot_rates(read_metrics(args.inputs), datasets, curves, "HR@n, Hamming search")


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
