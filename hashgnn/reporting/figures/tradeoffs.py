"""Figure 8: HR@50 against the bytes of an item; figure 9: against the time of a query.

Figure 10: Recall@20 against the bytes of an item, beside published results.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator, StrMethodFormatter

from hashgnn.config.methods import Look
from hashgnn.evaluation.statistics import over_seeds, read_metrics
from hashgnn.evaluation.time_queries import read_query_times
from hashgnn.reporting.figures import (
    by_dataset,
    draw_curve,
    label_rows,
    run_figure,
)
from hashgnn.reporting.figures.style import (
    artist_label,
    counterpart,
    line_style,
    look,
    name_curves,
    name_point,
    panels,
    seeds_note,
)
from hashgnn.reporting.tables.comparison import PUBLISHED_CUTOFF, by_bytes, published_values
from hashgnn.reporting.tables.quantization import CUTOFF, SEARCHES, front, read_footprints

LINES = {
    "hamming": "--",
    "asymmetric": "-",
    "decoded": "-",
    "asymmetric re-rank": "-.",
    "continuous": ":",
}
BYTES = (4, 512)  # the ends of the axis
_FRONT = "#888888"
_PUBLISHED = Look("#777777", "D")
_COLUMNS, _SIZES = 2, 2  # panels side by side: of figure 8, and of figure 9
_SPEED = ["dataset", "model", "bits", "seed", "search"]


def fig8(argv: Sequence[str] | None = None) -> int:
    """Draw figure 8: HR@50 by the bytes kept of an item, of codes, quantized vectors, floats."""
    return run_figure(fig8.__doc__, make_fig8, argv)


def fig9(argv: Sequence[str] | None = None) -> int:
    """Draw figure 9: HR@50 by microseconds of a query, of codes, quantized vectors, floats."""
    return run_figure(fig9.__doc__, make_fig9, argv)


def fig10(argv: Sequence[str] | None = None) -> int:
    """Draw figure 10: Recall@20 by the bytes kept of an item, beside what others report."""
    return run_figure(fig10.__doc__, make_fig10, argv)


def make_fig8(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """Return figure 8 and its numbers.

    ``inputs`` are ``metrics.csv`` of all trainings, then their ``item_vectors.npy``. Re-ranking by
    codes keeps the same bytes as the asymmetric search that it approximates, and is not shown.
    """
    half = len(args.inputs) // 2
    numbers = read_footprints(args.inputs[:half], args.inputs[half:], args.settings)
    numbers = numbers[numbers.search != "asymmetric re-rank"].reset_index(drop=True)
    places = by_dataset(numbers, dict(args.settings["datasets"]))
    kinds = kinds_of_items(numbers) if numbers.bits.nunique() == 1 else []
    columns = min(len(places), 3 if kinds and len(places) == 3 else _COLUMNS)
    figure, axes = panels(columns, -(-len(places) // columns))
    for panel in axes[len(places) :]:
        panel.set_visible(False)
    for panel, (name, rows) in zip(axes, places, strict=False):
        panel.set_title(name)
        if kinds:
            draw_kinds(panel, rows, kinds, args.settings)
        else:
            draw_tradeoff(panel, rows[rows.bytes.between(*BYTES)], "bytes", args.settings)
            double(panel, range(2, 10, 2 if columns == 1 else 1))  # names may narrow one panel
        panel.set_xlabel("bytes an item")
    label_rows(axes, columns, f"HR@{CUTOFF} (recall)")
    name_curves(figure, seeds_note(numbers, "whisker" if kinds else "band"))
    return figure, numbers


def kinds_of_items(numbers: pd.DataFrame) -> list[tuple[int, str]]:
    """Return the pairs of bytes and search in ``numbers``, by bytes, then as in ``SEARCHES``."""
    found = set(zip(numbers.bytes.tolist(), numbers.search.tolist(), strict=True))
    return sorted(found, key=lambda kind: (kind[0], list(SEARCHES).index(kind[1])))


def draw_kinds(
    panel: Axes, rows: pd.DataFrame, kinds: Sequence[tuple[int, str]], settings: Mapping[str, Any]
) -> None:
    """Draw a line for each model through its recall with each of ``kinds``, at equal steps.

    For codes of one length: searches that keep the same bytes would lie on one another.
    """
    for number, (model, name) in enumerate(settings["models"]):
        own = rows.loc[rows.model == model, ["bytes", "search", "seed", "value"]]
        summary = over_seeds(own).set_index(["bytes", "search"])
        steps = [step for step, kind in enumerate(kinds) if kind in summary.index]
        means = summary.loc[[kinds[step] for step in steps]]
        style = line_style(look(settings, model)) | {"zorder": 3 - number / 100}
        panel.vlines(steps, means["low"], means["high"], color=style["color"], linewidth=1)
        panel.plot(steps, means["mean"], label=artist_label(name), **style)
    named = [f"{size:,}\n{SEARCHES[search]}" for size, search in kinds]
    panel.set_xticks(range(len(kinds)), named)
    panel.margins(x=0.15)


def make_fig9(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """Return figure 9 and its numbers.

    ``inputs`` are ``metrics.csv`` of all trainings, then their ``item_vectors.npy``, then their
    ``query_times.csv``. A data set's left panel has the times among its own items, the right one
    those among many more.
    """
    third = len(args.inputs) // 3
    metrics, vectors, times = (args.inputs[n * third : (n + 1) * third] for n in range(3))
    found = read_footprints(metrics, vectors, args.settings)
    numbers = found.merge(median_times(times), on=_SPEED, how="inner")
    named = by_dataset(numbers, dict(args.settings["datasets"]))
    figure, axes = panels(_SIZES, len(named))
    places = [
        (name, size, rows[rows["items"] == size])
        for name, rows in named
        for size in (rows["items"].min(), rows["items"].max())
    ]
    for panel, (name, size, rows) in zip(axes, places, strict=True):
        draw_tradeoff(panel, rows, "microseconds", args.settings)
        panel.set(title=f"{name}\n{size:,} items")
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        panel.xaxis.set_minor_formatter(NullFormatter())
    for panel in axes[-_SIZES:]:
        panel.set_xlabel(f"microseconds a query, {_threads(numbers)}")
    label_rows(axes, _SIZES, f"HR@{CUTOFF} (recall)")
    name_curves(figure, seeds_note(numbers))
    return figure, numbers


def make_fig10(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """Return figure 10 and its numbers; ``inputs`` are ``metrics.csv`` of all trainings.

    Hierarchical search keeps the vectors as well as the codes, more bytes than vectors alone take,
    and is not shown; nor is re-ranking, as in figure 8.
    """
    settings = args.settings
    ours = by_bytes(read_metrics(args.inputs), settings["continuous"])
    shown = ours[(ours.metric == "hr") & (ours.search != "hierarchical")]
    theirs = published_values(settings["published"])
    reported = theirs[theirs.metric == "hr"]
    numbers = pd.concat([shown, reported], ignore_index=True)
    numbers = numbers.rename(columns={"bytes_per_item": "bytes"})
    numbers = numbers.astype({"bits": "Int64", "seed": "Int64"})  # published ones have none
    places = by_dataset(numbers, dict(settings["datasets"]))
    figure, axes = panels(1, len(places))
    for panel, (name, rows) in zip(axes, places, strict=True):
        draw_searches(panel, rows, "bytes", settings)
        draw_published(panel, rows[rows.side == "published"])
        panel.set(title=name, xlabel="")
        double(panel, range(2, 13, 3))
    axes[-1].set_xlabel("bytes an item")
    label_rows(axes, 1, f"Recall@{PUBLISHED_CUTOFF}")
    name_curves(figure, f"{seeds_note(shown)}; best on test: the epoch chosen on the test part")
    return figure, numbers


def draw_published(panel: Axes, rows: pd.DataFrame) -> None:
    """Draw and name what others report, open where the best epoch on the test part is."""
    by_test = rows.epoch_chosen_on == "test"
    for label, shown, style in (
        ("published", rows[~by_test], _PUBLISHED),
        ("published, best on test", rows[by_test], counterpart(_PUBLISHED)),
    ):
        if not shown.empty:
            drawn = {**line_style(style), "linestyle": "", "zorder": 5}
            panel.plot(shown.bytes, shown.value, label=artist_label(label), **drawn)
    for row in rows.to_dict("records"):
        named = name_point(panel, row["model"], (row["bytes"], row["value"]), _PUBLISHED.color)
        named.set_zorder(1)  # its line lies below the curves


def double(panel: Axes, powers: Iterable[int]) -> None:
    """Let the horizontal axis double at equal steps, with ticks at these powers of two."""
    panel.set_xscale("log", base=2)
    ticks = [2**power for power in powers]
    panel.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    panel.xaxis.set_minor_locator(NullLocator())


def _threads(numbers: pd.DataFrame) -> str:
    count = numbers["threads"].max()
    return "one thread" if count == 1 else f"{count} threads"


def median_times(paths: Sequence[Path]) -> pd.DataFrame:
    """Return the median of the rounds, by training, search and number of items."""
    keys = [*_SPEED, "items", "threads"]
    times = read_query_times(paths)
    return times.groupby(keys, sort=False, as_index=False).agg({"microseconds": "median"})


def draw_tradeoff(panel: Axes, rows: pd.DataFrame, x: str, settings: Mapping[str, Any]) -> None:
    """Draw a curve over the sizes of codes for each model and search, and the Pareto front."""
    draw_searches(panel, rows, x, settings)
    means = rows.groupby(["model", "search", "bits"], as_index=False)[[x, "value"]].mean()
    best = front(means, x, "value")
    panel.step(
        best[x],
        best["value"],
        where="post",
        color=_FRONT,
        linewidth=3,
        alpha=0.35,
        zorder=0,
        label=artist_label("Pareto front"),
    )


def draw_searches(panel: Axes, rows: pd.DataFrame, x: str, settings: Mapping[str, Any]) -> None:
    """Draw a curve over the sizes of codes for each model and search."""
    for model, name in settings["models"]:
        for search, label in SEARCHES.items():
            own = rows[(rows.model == model) & (rows.search == search)]
            if own.empty:
                continue
            style = look(settings, model)
            # Times differ from seed to seed: a point has the means of both.
            points = (
                own.groupby("bits", as_index=False)[[x, "value"]].mean() if x != "bytes" else own
            )
            draw_curve(panel, points, x, style, f"{name}, {label}", linestyle=LINES[search])
