"""Tables of all methods by codes and by vectors, of encoders, and of published numbers."""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from hashgnn.evaluation.results import over_seeds, read_metrics
from hashgnn.reporting.tables import Mark, Marked, run_table

CUTOFFS = (50, 100)
METRICS = {"hr": "HR", "ndcg": "NDCG"}
SIDES = {"codes": "Hamming", "vectors": "vectors"}
PUBLISHED_CUTOFF = 20
PUBLISHED_METRICS = {"hr": "Recall", "ndcg": "NDCG"}


def methods(argv: Sequence[str] | None = None) -> int:
    """Make the table of all methods: HR and NDCG at 50 and 100, by codes and by vectors."""
    return run_table(methods.__doc__, make_methods, argv)


def encoders(argv: Sequence[str] | None = None) -> int:
    """Make the table of encoders: HR and NDCG at 50 and 100, by codes and by vectors."""
    return run_table(encoders.__doc__, partial(make_methods, title="Encoder"), argv)


def anchors(argv: Sequence[str] | None = None) -> int:
    """Make the table of continuous methods beside published numbers, on the split of those."""
    return run_table(anchors.__doc__, make_anchors, argv)


def make_methods(
    args: argparse.Namespace, title: str = "Method"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return numbers and printed form; ``inputs`` are ``metrics.csv`` of all trainings."""
    settings = args.settings
    numbers = over_seeds(both_sides(read_metrics(args.inputs), settings["continuous"]))
    numbers["place"] = place(numbers, ["dataset", "bits", "side", "metric", "n"])
    names = dict(settings["datasets"]), dict(settings["models"])
    return numbers, print_methods(numbers, *names, title)


def select(frame: pd.DataFrame, continuous: Sequence[str]) -> pd.DataFrame:
    """Return the rows of hierarchical search, but of continuous search for ``continuous``."""
    own_search = frame.model.isin(continuous).map({True: "continuous", False: "hierarchical"})
    shown = (frame.search == own_search) & frame.metric.isin(METRICS) & frame.n.isin(CUTOFFS)
    return frame[shown]


def both_sides(frame: pd.DataFrame, continuous: Sequence[str]) -> pd.DataFrame:
    """Return Hamming search (``side`` codes) and each method's own search by vectors."""
    shown = frame.metric.isin(METRICS) & frame.n.isin(CUTOFFS) & (frame.search == "hamming")
    sides = {"codes": frame[shown], "vectors": select(frame, continuous)}
    return pd.concat([rows.assign(side=side) for side, rows in sides.items()], ignore_index=True)


def place(means: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Rank each row of ``means`` among those with the same ``keys``; the highest mean is 1."""
    return means.groupby(keys)["mean"].rank(ascending=False, method="first")


def marked(chosen: pd.DataFrame) -> pd.Series:
    """Return a cell for each row of ``chosen`` (mean, low, high, place), by model and bits.

    The best is bold, the second underlined.
    """
    marks: dict[int, Mark] = {1: "bold", 2: "underlined"}
    chosen = chosen.set_index(["model", "bits"])
    cells = [_cell(*row) for row in zip(chosen["mean"], chosen["low"], chosen["high"], strict=True)]
    made = [
        Marked(cell, marks[int(number)]) if number in marks else cell
        for number, cell in zip(chosen["place"], cells, strict=True)
    ]
    return pd.Series(made, index=chosen.index, dtype=object)


def _cell(mean: float, low: float, high: float) -> str:
    """Return the mean, with its 95 % interval where there are several seeds."""
    return f"{mean:.4f}" if pd.isna(low) else f"{mean:.4f} [{low:.4f}, {high:.4f}]"


def print_methods(
    numbers: pd.DataFrame,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
    title: str = "Method",
) -> pd.DataFrame:
    """Return a row per data set, code length and method; the best bold, the second underlined."""
    blocks = [
        _block(rows, f"{name}, {bits} bits", models, title)
        for dataset, name in datasets.items()
        for bits, rows in numbers[numbers.dataset == dataset].groupby("bits")
    ]
    return pd.concat(blocks, ignore_index=True)


def _block(rows: pd.DataFrame, dataset: str, models: Mapping[str, str], title: str) -> pd.DataFrame:
    columns = {}
    for side, search in SIDES.items():
        for metric, name in METRICS.items():
            for n in CUTOFFS:
                chosen = (rows.side == side) & (rows.metric == metric) & (rows.n == n)
                columns[f"{name}@{n}, {search}"] = marked(rows[chosen])
    block = pd.DataFrame(columns)
    block.insert(0, title, [models[model] for model, _ in block.index])
    block.insert(0, "Dataset", dataset)
    return block


def make_anchors(args: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return numbers and printed form; ``inputs`` are ``metrics.csv`` of all trainings."""
    settings = args.settings
    numbers = compare_published(read_metrics(args.inputs), settings["published"])
    names = dict(settings["datasets"]), dict(settings["models"])
    return numbers, print_anchors(numbers, *names)


def compare_published(
    frame: pd.DataFrame, published: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Return Recall@20 (which is HR@20) and NDCG@20 of continuous search beside published ones.

    Args:
        frame: Rows of metrics.
        published: For each model its ``hr``, ``ndcg`` and ``source``, as far as published.

    Returns:
        Means over seeds with the columns ``published`` (NaN where there is none), ``ratio`` (ours
        to theirs) and ``source``.
    """
    shown = frame.metric.isin(PUBLISHED_METRICS) & (frame.n == PUBLISHED_CUTOFF)
    numbers = over_seeds(frame[(frame.search == "continuous") & shown])
    pairs = list(zip(numbers.model, numbers.metric, strict=True))
    theirs = [published.get(model, {}).get(metric, float("nan")) for model, metric in pairs]
    numbers["published"] = theirs
    numbers["ratio"] = numbers["mean"] / numbers["published"]
    numbers["source"] = [published.get(model, {}).get("source", "") for model in numbers.model]
    return numbers


def print_anchors(
    numbers: pd.DataFrame, datasets: Mapping[str, str], models: Mapping[str, str]
) -> pd.DataFrame:
    """Return a row per data set, method and number of dimensions."""
    rows = []
    for (dataset, model, bits), group in numbers.groupby(["dataset", "model", "bits"], sort=False):
        names = datasets[str(dataset)], models[str(model)], str(bits)
        row = dict(zip(("Dataset", "Method", "Dimensions"), names, strict=True))
        for metric, title in PUBLISHED_METRICS.items():
            line = group[group.metric == metric].iloc[0]
            row[f"{title}@{PUBLISHED_CUTOFF}"] = f"{line['mean']:.4f}"
            theirs = "" if pd.isna(line.published) else f"{line.published:.4f}"
            row[f"{title}@{PUBLISHED_CUTOFF}, published"] = theirs
        rows.append({**row, "Source": group.source.iloc[0]})
    return pd.DataFrame(rows)
