"""Figures 1 and 3: HR@n against the list length n; figures 4 and 6: the course of training."""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hashgnn.config.methods import Look
from hashgnn.errors import InputError
from hashgnn.evaluation.statistics import read_metrics
from hashgnn.reporting.figures import FOREMOST, by_dataset, draw_curve, draw_grid, run_figure
from hashgnn.reporting.figures.style import counterpart, look


def fig1(argv: Sequence[str] | None = None) -> int:
    """Draw figure 1: HR@n of continuous vectors and of hash codes."""
    return run_figure(fig1.__doc__, make_fig1, argv)


def fig3(argv: Sequence[str] | None = None) -> int:
    """Draw figure 3: HR@n of Hamming search."""
    return run_figure(fig3.__doc__, make_fig3, argv)


def fig4(argv: Sequence[str] | None = None) -> int:
    """Draw figure 4: training loss, guided against plain straight-through estimator."""
    return run_figure(fig4.__doc__, make_fig4, argv)


def fig6(argv: Sequence[str] | None = None) -> int:
    """Draw figure 6: validation AUC during training, guided against plain estimator."""
    return run_figure(fig6.__doc__, make_fig6, argv)


class Curve(NamedTuple):
    """A method ranked by one search, and its entry in the legend."""

    model: str
    search: str
    label: str
    dashed: bool = False


def make_fig1(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """Return figure 1 and its numbers; ``inputs`` are ``metrics.csv`` of all trainings.

    It is about the continuous vectors, which lie on top of the codes.
    """
    continuous = args.settings["continuous"]
    curves = [
        Curve(model, "continuous", f"{name}, continuous")
        if model in continuous
        else Curve(model, "hamming", f"{name}, Hamming")
        for model, name in args.settings["models"]
    ]
    curves.sort(key=lambda curve: curve.search != "continuous")
    return plot_rates(args, curves, "HR@n (recall)")


def make_fig3(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """Return figure 3 and its numbers; ``inputs`` are ``metrics.csv`` of all trainings.

    Methods without codes of their own are shown twice: by the signs of their vectors, and dashed
    by the vectors themselves.
    """
    models, continuous = dict(args.settings["models"]), args.settings["continuous"]
    curves = [
        Curve(model, "hamming", f"{name} (sign)" if model in continuous else name)
        for model, name in models.items()
    ]
    curves += [
        Curve(model, "continuous", f"{name} (continuous)", dashed=True)
        for model, name in models.items()
        if model in continuous
    ]
    return plot_rates(args, curves, "HR@n (recall),\nHamming search")


def make_fig4(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """Return figure 4 and its numbers; ``inputs`` are ``history.csv`` of all trainings."""
    return plot_courses(args, {"loss": ""}, "training loss")


def make_fig6(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """Return figure 6 and its numbers; ``inputs`` are ``history.csv`` of all trainings."""
    return plot_courses(args, {"auc": ", vectors", "auc_codes": ", codes"}, "AUC, validation")


def plot_rates(
    args: argparse.Namespace, curves: Sequence[Curve], title: str
) -> tuple[Figure, pd.DataFrame]:
    """Draw HR@n of ``curves`` against n: a panel per data set and code length."""
    numbers = select_rates(read_metrics(args.inputs), curves)
    columns = by_dataset(numbers, dict(args.settings["datasets"]))
    looks = {curve.model: look(args.settings, curve.model) for curve in curves}
    draw = partial(_draw_rates, curves=curves, looks=looks)
    return draw_grid(numbers, columns, title, draw), numbers


def select_rates(frame: pd.DataFrame, curves: Sequence[Curve]) -> pd.DataFrame:
    """Return the rows of HR that ``curves`` show, ordered."""
    pairs = {(curve.model, curve.search) for curve in curves}
    shown = [pair in pairs for pair in zip(frame.model, frame.search, strict=True)]
    return frame[pd.Series(shown, frame.index) & (frame.metric == "hr")].sort_values(
        ["dataset", "model", "bits", "search", "n", "seed"], ignore_index=True
    )


def _draw_rates(
    panel: Axes, rows: pd.DataFrame, curves: Sequence[Curve], looks: Mapping[str, Look]
) -> None:
    for number, curve in enumerate(curves):
        own = rows[(rows.model == curve.model) & (rows.search == curve.search)]
        style: dict[str, Any] = {"zorder": 3 - number / 100}
        if curve.model == curves[0].model:
            style = {**FOREMOST}
        if curve.dashed:
            style |= {"linestyle": "--", "marker": ""}
        draw_curve(panel, own, "n", looks[curve.model], curve.label, **style)
    panel.set_xticks(sorted(rows.n.unique()))
    panel.set_xlabel("length of the list n")
    panel.set_ylim(bottom=0)


def plot_courses(
    args: argparse.Namespace, quantities: Mapping[str, str], title: str
) -> tuple[Figure, pd.DataFrame]:
    """Draw quantities against the training iteration: a panel per data set and code length.

    Args:
        args: ``inputs`` are the histories of the trainings in the setting ``runs``, in its order.
        quantities: Columns of the histories, and what each adds to a method's name in the legend;
            the first is drawn solid, the second dashed, with the other form of the marker.
        title: Label of the vertical axis.
    """
    numbers = read_histories(args.inputs, args.settings["runs"], list(quantities))
    columns = by_dataset(numbers, dict(args.settings["datasets"]))
    models = args.settings["models"]

    def draw(panel: Axes, rows: pd.DataFrame) -> None:
        for number, (quantity, suffix) in enumerate(quantities.items()):
            for model, name in models:
                own = rows[(rows.model == model) & (rows.quantity == quantity)]
                style: dict[str, Any] = dict(FOREMOST) if model == models[0][0] else {"zorder": 3}
                style |= {"linestyle": "--" if number else "-", "markevery": 0.125}
                shown = look(args.settings, model)
                shown = counterpart(shown) if number else shown
                draw_curve(panel, own, "iteration", shown, name + suffix, **style)
        panel.set_xlabel("iteration")

    return draw_grid(numbers, columns, title, draw), numbers


def read_histories(
    paths: Sequence[Path], runs: Sequence[Sequence[object]], quantities: Sequence[str]
) -> pd.DataFrame:
    """Return columns dataset, model, bits, seed, iteration, p, quantity and value.

    Raises:
        InputError: A history has no rows.
    """
    keys, frames = ["dataset", "model", "bits", "seed"], []
    for path, run in zip(paths, runs, strict=True):
        history = pd.read_csv(path)
        if history.empty:
            raise InputError(f"{path}: no rows; set training.history_every below its iterations")
        labels = pd.DataFrame([run] * len(history), columns=keys)
        frames.append(pd.concat([labels, history], axis=1))
    return pd.concat(frames).melt([*keys, "iteration", "p"], quantities, "quantity", "value")
