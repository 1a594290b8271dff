"""Quantities in the course of training: what figures 4 and 6 have in common."""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hashgnn.errors import InputError
from hashgnn.evaluation.statistics import over_seeds
from hashgnn.reporting.figures.panels import draw_by_dataset, draw_curve
from hashgnn.reporting.figures.style import look

_RUN = ["dataset", "model", "bits", "seed"]


def make_course(
    args: argparse.Namespace, quantities: Mapping[str, str], title: str
) -> tuple[Figure, pd.DataFrame]:
    """A panel a data set, a curve a method and quantity, against the iteration.

    A row of panels for each length of code.
    ``inputs`` are histories of the trainings in the setting ``runs``, in its order;
    ``quantities`` maps their columns to what is added to a method's name, the first drawn solid.
    """
    datasets, models = dict(args.settings["datasets"]), dict(args.settings["models"])
    numbers = read_histories(args.inputs, args.settings["runs"], list(quantities))
    draw = partial(_draw_courses, quantities=quantities, models=models)
    return draw_by_dataset(over_seeds(numbers), datasets, title, draw), numbers


def _draw_courses(
    panel: Axes, summary: pd.DataFrame, quantities: Mapping[str, str], models: Mapping[str, str]
) -> None:
    for (quantity, suffix), line in zip(quantities.items(), ("-", "--"), strict=False):
        for model in models:
            rows = summary[(summary.model == model) & (summary.quantity == quantity)]
            style = {"linestyle": line, "markevery": 0.125}
            draw_curve(panel, rows, "iteration", look(model), models[model] + suffix, **style)
    panel.set_xlabel("iteration")


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
