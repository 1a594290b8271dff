"""Quantities in the course of training: what figures 4 and 6 have in common."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from hashgnn.errors import InputError
from hashgnn.figures.panels import draw_curve, draw_legend, panels
from hashgnn.figures.style import look
from hashgnn.metrics.tidy import over_seeds

_RUN = ["dataset", "model", "bits", "seed"]


def make_course(
    args: argparse.Namespace, quantities: Mapping[str, str], title: str
) -> tuple[Figure, pd.DataFrame]:
    """A panel a data set, a curve a method and quantity, against the iteration.

    ``inputs`` are histories of the trainings in the setting ``runs``, in its order;
    ``quantities`` maps their columns to what is added to a method's name, the first drawn solid.
    """
    datasets, models = dict(args.settings["datasets"]), dict(args.settings["models"])
    numbers = read_histories(args.inputs, args.settings["runs"], list(quantities))
    summary = over_seeds(numbers)
    figure, axes = panels(len(datasets))
    for panel, (dataset, name) in zip(axes, datasets.items(), strict=True):
        for (quantity, suffix), line in zip(quantities.items(), ("-", "--"), strict=False):
            for model in models:
                rows = summary[
                    (summary.dataset == dataset)
                    & (summary.model == model)
                    & (summary.quantity == quantity)
                ]
                style = {"label": models[model] + suffix, "linestyle": line}
                draw_curve(panel, rows, "iteration", look(model), markevery=0.125, **style)
        panel.set_title(name)
        panel.set_xlabel("iteration")
    axes[0].set_ylabel(title)
    draw_legend(figure, summary)
    return figure, numbers


def read_histories(
    paths: Sequence[Path], runs: Sequence[Sequence[object]], quantities: Sequence[str]
) -> pd.DataFrame:
    """Columns dataset, model, bits, seed, iteration, p, quantity and value."""
    frames = []
    for path, run in zip(paths, runs, strict=True):
        history = pd.read_csv(path)
        if history.empty:
            raise InputError(f"{path}: no rows; set training.history_every below its iterations")
        labels = pd.DataFrame([run] * len(history), columns=_RUN)
        frames.append(pd.concat([labels, history], axis=1))
    kept = [*_RUN, "iteration", "p"]
    return pd.concat(frames).melt(kept, quantities, "quantity", "value")
