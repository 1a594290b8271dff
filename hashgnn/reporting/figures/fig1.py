"""Figure 1: the gap between continuous vectors and hash codes, as hit rate."""

import argparse
import sys

import pandas as pd
from matplotlib.figure import Figure

from hashgnn.evaluation.statistics import read_metrics
from hashgnn.reporting.figures.rates import Curve, plot_rates
from hashgnn.reporting.figures.style import run_figure


def make(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """``inputs`` are metrics of every training in the grid."""
    datasets, models = dict(args.settings["datasets"]), dict(args.settings["models"])
    curves = [_curve(model, name, args.settings["continuous"]) for model, name in models.items()]
    return plot_rates(read_metrics(args.inputs), datasets, curves, "HR@n")


def _curve(model: str, name: str, continuous: list[str]) -> Curve:
    """Continuous methods by inner product, the others by Hamming distance."""
    if model in continuous:
        return Curve(model, "continuous", f"{name}, continuous")
    return Curve(model, "hamming", f"{name}, Hamming")


if __name__ == "__main__":
    sys.exit(run_figure(__doc__, make))
