"""Tables of all methods by codes and by vectors, of encoders, and of published numbers."""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from hashgnn.evaluation.statistics import over_seeds, read_metrics
from hashgnn.reporting.tables import Cell, Mark, Printed, named, run_table

CUTOFFS = (50, 100)
METRICS = {"hr": "HR", "ndcg": "NDCG"}
SIDES = {"codes": "Hamming", "vectors": "vectors"}
PUBLISHED_CUTOFF = 20
PUBLISHED_METRICS = {"hr": "Recall", "ndcg": "NDCG"}
# What each search keeps of an item.
KEPT = {
    "hamming": "codes",
    "asymmetric": "codes, float user",
    "hierarchical": "codes, then vectors",
    "continuous": "vectors",
}
_FLOAT_BYTES = 4
_OF_PUBLISHED = ("bytes_per_item", "epoch_chosen_on", "source")


def methods(argv: Sequence[str] | None = None) -> int:
    """Make the table of all methods: HR and NDCG at 50 and 100, by codes and by vectors."""
    return run_table(methods.__doc__, make_methods, argv)


def encoders(argv: Sequence[str] | None = None) -> int:
    """Make the table of encoders: HR and NDCG at 50 and 100, by codes and by vectors."""
    return run_table(encoders.__doc__, partial(make_methods, title="Encoder"), argv)


def variants(argv: Sequence[str] | None = None) -> int:
    """Make the table of a method and its variants: HR and NDCG, by codes and by vectors."""
    return run_table(variants.__doc__, partial(make_methods, title="Variant"), argv)


def full_size(argv: Sequence[str] | None = None) -> int:
    """Make the table of the methods that scale to data of Alibaba's size."""
    return run_table(full_size.__doc__, make_methods, argv)


def published(argv: Sequence[str] | None = None) -> int:
    """Make the table of methods beside what others report on the same splits."""
    return run_table(published.__doc__, make_published, argv)


def make_methods(args: argparse.Namespace, title: str = "Method") -> tuple[pd.DataFrame, Printed]:
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


def marked(chosen: pd.DataFrame, significant: pd.Series | None = None) -> pd.Series:
    """Return a cell for each row of ``chosen`` (mean, low, high, place), by model and bits.

    The best is bold, the second underlined; those of the mask ``significant`` have a dagger.
    """
    marks: dict[int, Mark] = {1: "bold", 2: "underlined"}
    signs = [""] * len(chosen) if significant is None else ["†" if s else "" for s in significant]
    made = [
        Cell(f"{mean:.4f}", marks.get(int(number)), spread(mean, high), sign)
        for mean, high, number, sign in zip(
            chosen["mean"], chosen["high"], chosen["place"], signs, strict=True
        )
    ]
    index = pd.MultiIndex.from_frame(chosen[["model", "bits"]])
    return pd.Series(made, index=index, dtype=object)


def spread(mean: float, high: float) -> str:
    """Return half the width of a 95 % interval as text; none where there is one seed."""
    return "" if pd.isna(high) else f"±{high - mean:.4f}"


def spread_note(numbers: pd.DataFrame) -> str:
    """Return what marks and spreads of a table mean."""
    least, most = numbers["seeds"].min(), numbers["seeds"].max()
    number = f"{most}" if least == most else f"{least} to {most}"
    several = f"± is half the 95 % t interval of the mean of {number} seeds"
    seeds = "one seed" if most == 1 else several
    return f"The best is bold, the second underlined; {seeds}."


def print_methods(
    numbers: pd.DataFrame,
    datasets: Mapping[str, str],
    models: Mapping[str, str],
    title: str = "Method",
) -> Printed:
    """Return a row per data set, code length and method; the best bold, the second underlined."""
    blocks = [
        _block(rows, f"{name}, {bits} bits", models, title)
        for dataset, name in datasets.items()
        for bits, rows in numbers[numbers.dataset == dataset].groupby("bits")
    ]
    caption = (
        f"HR (recall) and NDCG on {named(datasets.values())}, of Hamming search over codes and of "
        "search by vectors: hierarchical search for methods with codes of their own, continuous "
        f"search for the others. {spread_note(numbers)}"
    )
    return Printed(pd.concat(blocks, ignore_index=True), caption, "Data set")


def _block(rows: pd.DataFrame, dataset: str, models: Mapping[str, str], title: str) -> pd.DataFrame:
    columns = {}
    for side, search in SIDES.items():
        for metric, name in METRICS.items():
            for n in CUTOFFS:
                chosen = (rows.side == side) & (rows.metric == metric) & (rows.n == n)
                columns[f"{name}@{n}, {search}"] = marked(rows[chosen])
    block = pd.DataFrame(columns)
    block.insert(0, title, [models[model] for model, _ in block.index])
    block.insert(0, "Data set", dataset)
    return block


def make_published(args: argparse.Namespace) -> tuple[pd.DataFrame, Printed]:
    """Return numbers and printed form; ``inputs`` are ``metrics.csv`` of all trainings."""
    settings = args.settings
    frame = read_metrics(args.inputs)
    numbers = beside_published(frame, settings["continuous"], settings["published"])
    return numbers, print_published(numbers, dict(settings["datasets"]), dict(settings["models"]))


def beside_published(
    frame: pd.DataFrame,
    continuous: Sequence[str],
    published: Mapping[str, Sequence[Mapping[str, Any]]],
) -> pd.DataFrame:
    """Return Recall@20 (which is HR@20) and NDCG@20, ours and published ones.

    Args:
        frame: Rows of metrics.
        continuous: Models without codes of their own.
        published: For each data set the results that others report, as in the configuration.

    Returns:
        Means over seeds, as ``by_bytes``, then published values, with the columns
        ``epoch_chosen_on`` and ``source`` (empty for ours).
    """
    ours = over_seeds(by_bytes(frame, continuous)).assign(epoch_chosen_on="validation", source="")
    theirs = published_values(published).rename(columns={"value": "mean"})
    return pd.concat([ours, theirs], ignore_index=True)


def bytes_per_item(search: str, bits: int) -> int:
    """Return the bytes that a search keeps of an item: a code, a float for each bit, or both."""
    code, vector = -(-bits // 8), _FLOAT_BYTES * bits
    return {"continuous": vector, "hierarchical": code + vector}.get(search, code)


def by_bytes(frame: pd.DataFrame, continuous: Sequence[str]) -> pd.DataFrame:
    """Return Recall@20 and NDCG@20 by each search, with the bytes that it keeps of an item.

    Searches of codes are left out for models of ``continuous``, which have none of their own.
    Column ``side`` says what is kept, ``bytes_per_item`` how much.
    """
    shown = frame.metric.isin(PUBLISHED_METRICS) & (frame.n == PUBLISHED_CUTOFF)
    shown &= frame.search.isin(KEPT)
    shown &= ~(frame.model.isin(continuous) & (frame.search != "continuous"))
    ours = frame[shown]
    stored = [bytes_per_item(*row) for row in zip(ours.search, ours.bits, strict=True)]
    return ours.assign(side=ours.search.map(KEPT), bytes_per_item=stored)


def published_values(published: Mapping[str, Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """Return a row for each published value; ``model`` is the name of the method."""
    rows = [
        {
            "dataset": dataset,
            "model": entry["method"],
            "side": "published",
            "metric": metric,
            "n": PUBLISHED_CUTOFF,
            "value": entry[key],
            **{name: entry[name] for name in _OF_PUBLISHED},
        }
        for dataset, entries in published.items()
        for entry in entries
        for metric, key in (("hr", "recall"), ("ndcg", "ndcg"))
        if entry.get(key) is not None
    ]
    columns = ["dataset", "model", "side", "metric", "n", "value", *_OF_PUBLISHED]
    return pd.DataFrame(rows, columns=columns)


def print_published(
    numbers: pd.DataFrame, datasets: Mapping[str, str], models: Mapping[str, str]
) -> Printed:
    """Return a row per data set, method and representation, by bytes per item."""
    keys = ["dataset", "bytes_per_item", "side", "model", "source", "epoch_chosen_on"]
    order = numbers.assign(dataset=pd.Categorical(numbers.dataset, list(datasets), ordered=True))
    rows = []
    for key, group in order.sort_values(keys[:2], kind="stable").groupby(
        keys, sort=False, observed=True
    ):
        dataset, stored, side, model, source, chosen_on = key
        row = {
            "Data set": datasets[str(dataset)],
            "Method": models[str(model)] if side != "published" else str(model),
            "Items as": "" if side == "published" else str(side),
            "Bytes per item": f"{stored:,}",
        }
        for metric, title in PUBLISHED_METRICS.items():
            values = group[group.metric == metric]["mean"]
            row[f"{title}@{PUBLISHED_CUTOFF}"] = f"{values.iloc[0]:.4f}" if len(values) else ""
        rows.append({**row, "Epoch chosen on": str(chosen_on), "Source": source or "this workflow"})
    caption = (
        f"Recall and NDCG at {PUBLISHED_CUTOFF} on {named(datasets.values())}, beside what others "
        "report on the same splits, by the bytes that an item takes."
    )
    legend = (
        "Searches: codes, by Hamming distance; codes, float user, by the inner product of the "
        "user's vector with codes of -1 and 1; codes, then vectors, the nearest codes ranked by "
        "their vectors; vectors, by inner product."
    )
    return Printed(pd.DataFrame(rows), caption, "Data set", [legend])
