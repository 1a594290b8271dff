"""Figures 5 and 7: HR@50 against the values of a hyper-parameter."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise, product
from string import ascii_lowercase
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from hashgnn.config.methods import Look
from hashgnn.errors import InputError
from hashgnn.evaluation.statistics import at_cutoff, over_seeds, read_metrics
from hashgnn.reporting.figures import (
    by_dataset,
    code_lengths,
    draw_curve,
    draw_grid,
    label_rows,
    panel_title,
    run_figure,
    tick_values,
)
from hashgnn.reporting.figures.style import (
    artist_label,
    counterpart,
    line_style,
    look,
    name_curves,
    panels,
    seeds_note,
)

CUTOFF = 50
SEARCHES = {"hierarchical": "hierarchical search", "hamming": "Hamming search"}
LINES = {"hierarchical": "-", "hamming": "--"}
DYNAMIC = "dynamic"
_GAP = 0.5  # of a step: dynamic p is farther from the fixed ones than they from each other
FIXED = Look("#777777", "o")  # variants of a method in figure 7, beside the method's own look


def fig5(argv: Sequence[str] | None = None) -> int:
    """Draw figure 5: HR@50 against the number of negatives, the code length and lambda."""
    return run_figure(fig5.__doc__, make_fig5, argv)


def fig7(argv: Sequence[str] | None = None) -> int:
    """Draw figure 7: HR@50 by the probability p of the guidance, fixed and dynamic."""
    return run_figure(fig7.__doc__, make_fig7, argv)


def make_fig5(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """Return figure 5 and its numbers; ``inputs`` are ``metrics.csv`` of all trainings.

    It has a row of panels per data set and code length, and a column per sweep. A sweep of the
    code length itself has one panel per data set, in the first of its rows.
    """
    metrics, sweeps = read_metrics(args.inputs), args.settings["sweeps"]
    datasets = dict(args.settings["datasets"])
    numbers = pd.concat([sweep_rates(metrics, sweep) for sweep in sweeps], ignore_index=True)
    varied = _vary_length(sweeps)
    lengths = code_lengths(numbers[~numbers["sweep"].isin(varied)]) or [0]
    figure, axes = panels(len(sweeps), len(datasets) * len(lengths))
    letters = _letters()
    for panel, (dataset, bits, sweep) in zip(axes, product(datasets, lengths, sweeps), strict=True):
        rows = numbers[(numbers.dataset == dataset) & (numbers["sweep"] == sweep["id"])]
        title = panel_title(datasets[dataset], bits, lengths)
        if sweep["id"] not in varied:
            rows = rows[rows.bits == bits]
        elif bits == lengths[0]:
            title = datasets[dataset]
        else:
            panel.set_visible(False)
            continue
        _draw_sweep(panel, rows, sweep, look(args.settings, sweep["model"]))
        panel.set_title(f"({next(letters)}) {title}")
    label_rows(axes, len(sweeps), f"HR@{CUTOFF} (recall)")
    name_curves(figure, seeds_note(numbers))
    return figure, numbers


def make_fig7(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """Return figure 7 and its numbers; ``inputs`` are ``metrics.csv`` of all trainings.

    The grid has one sweep, of fixed values of p, and the swept model itself, whose p is dynamic: it
    falls during training. There is a panel per data set and search: the vertical axes have their
    own ranges.
    """
    metrics, sweep = read_metrics(args.inputs), _only(args.settings["sweeps"])
    falling = rates(metrics)[lambda frame: frame.model == sweep["model"]]
    if falling.empty:
        raise InputError(f"grids.fig7.models: lacks {sweep['model']}, whose p falls")
    numbers = pd.concat(
        [sweep_rates(metrics, sweep), falling.assign(sweep=sweep["id"], at=DYNAMIC)],
        ignore_index=True,
    )
    columns = [
        (f"{name}\n{label}", rows[rows.search == search])
        for name, rows in by_dataset(numbers, dict(args.settings["datasets"]))
        for search, label in SEARCHES.items()
    ]
    draw = partial(_draw_dots, sweep=sweep, own=look(args.settings, sweep["model"]))
    return draw_grid(numbers, columns, f"HR@{CUTOFF} (recall)", draw, "whisker"), numbers


def sweep_rates(metrics: pd.DataFrame, sweep: Mapping[str, Any]) -> pd.DataFrame:
    """Return HR@50 of both searches at each point of a sweep.

    Args:
        metrics: Rows of all trainings, among them those of the sweep.
        sweep: ``id`` and ``points``, rows of value, data set, model and bits.

    Returns:
        The columns of ``metrics`` and two more: ``sweep`` and ``at``, the value.
    """
    columns = ["at", "dataset", "model", "bits"]
    points = pd.DataFrame(sweep["points"], columns=columns)
    return points.assign(sweep=sweep["id"]).merge(rates(metrics), on=columns[1:], how="inner")


def rates(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of HR@50 of the searches that use codes."""
    shown = at_cutoff(metrics, CUTOFF)
    return shown[(shown.metric == "hr") & shown.search.isin(SEARCHES)]


def ratio_is_constant(values: Sequence[Any]) -> bool:
    """Return whether numbers grow by one factor, as 8, 16, 32, which suits a logarithmic axis."""
    if len(values) < 3 or not all(isinstance(v, int | float) and v > 0 for v in values):
        return False
    factors = {round(b / a, 9) for a, b in pairwise(values)}
    return len(factors) == 1


def _vary_length(sweeps: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the ids of the sweeps that vary the code length."""
    return [s["id"] for s in sweeps if all(at == bits for at, _, _, bits in s["points"])]


def _letters() -> Iterator[str]:
    """Yield a to z, then aa to zz."""
    yield from ascii_lowercase
    yield from map("".join, product(ascii_lowercase, repeat=2))


def _draw_sweep(panel: Axes, rows: pd.DataFrame, sweep: Mapping[str, Any], own: Look) -> None:
    for search, label in SEARCHES.items():
        chosen = rows[rows.search == search]
        name = f"{sweep['model_name']}, {label}"
        shown = own if search == "hierarchical" else counterpart(own)
        draw_curve(panel, chosen, "at", shown, name, linestyle=LINES[search], zorder=3)
    values = rows["at"].unique().tolist()
    if ratio_is_constant(values):
        panel.set_xscale("log", base=2)
        panel.xaxis.set_minor_locator(NullLocator())
    tick_values(panel.xaxis, values, values)
    panel.set_xlabel(sweep["name"])


def _only(sweeps: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(sweeps) != 1:
        raise InputError(f"grids.fig7.sweeps: expected one sweep, got {len(sweeps)}")
    return sweeps[0]


def _draw_dots(panel: Axes, rows: pd.DataFrame, sweep: Mapping[str, Any], own: Look) -> None:
    """Draw a dot with its interval per value; dynamic p apart, with a dotted line at its mean."""
    values = rows["at"].unique().tolist()
    places = {at: number + (_GAP if at == DYNAMIC else 0) for number, at in enumerate(values)}
    name = sweep["name"]
    kinds = {f"fixed {name}": FIXED, f"{sweep['model_name']}, dynamic {name}": own}
    for (label, style), dynamic in zip(kinds.items(), (False, True), strict=True):
        chosen = rows[(rows["at"] == DYNAMIC) == dynamic]
        means = over_seeds(chosen[["at", "seed", "value"]])
        panel.errorbar(
            [places[at] for at in means["at"]],
            means["mean"],
            (means["high"] - means["mean"]).to_numpy(float),
            linestyle="none",
            elinewidth=1.0,
            capsize=2.5,
            label=artist_label(label),
            **line_style(style),
        )
    mean = rows.loc[rows["at"] == DYNAMIC, "value"].mean()
    panel.axhline(mean, color=own.color, linewidth=0.8, linestyle=":", zorder=1)
    last = places[DYNAMIC]
    panel.axvline(last - (1 + _GAP) / 2, color="#BBBBBB", linewidth=0.8)
    tick_values(panel.xaxis, list(places.values()), values)
    panel.set_xlim(-0.5, last + 0.5 + _GAP)
    panel.margins(y=0.12)
    panel.set_xlabel(f"fixed {name}, or dynamic {name} (falls during training)")
