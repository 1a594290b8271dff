"""Tables 2 and 3: HR and NDCG of hierarchical search, and differences between methods."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.evaluation.statistics import (
    difference,
    holm,
    over_seeds,
    read_metrics,
    values_of_seeds,
)
from hashgnn.reporting.tables import Printed, named, run_table
from hashgnn.reporting.tables.comparison import (
    CUTOFFS,
    METRICS,
    marked,
    place,
    select,
    spread_note,
)

KEYS = ["dataset", "model", "bits", "search", "metric", "n"]
FOUND = ["reference", "difference", "difference_low", "difference_high", "p"]
TESTED = ("hr", 50)  # places and differences are by this metric
LEVEL = 0.05  # of significance
IN_PAPER = "In the paper"
PLACED = ["dataset", "bits", "metric", "n"]  # methods are ranked among rows equal in these


def table2(argv: Sequence[str] | None = None) -> int:
    """Make table 2: hierarchical search on public data sets."""
    return run_table(table2.__doc__, make_table, argv)


def table3(argv: Sequence[str] | None = None) -> int:
    """Make table 3: hierarchical search on Alibaba's data, or the data used instead."""
    return run_table(table3.__doc__, make_table, argv)


def make_table(args: argparse.Namespace) -> tuple[pd.DataFrame, Printed]:
    """Return numbers and printed form.

    ``inputs`` are ``metrics.csv`` of every training of the setting ``runs``, then their
    ``per_user.npz``, in the same order. Every model is compared with the first.
    """
    half = len(args.inputs) // 2
    models, continuous = dict(args.settings["models"]), args.settings["continuous"]
    numbers = over_seeds(select(read_metrics(args.inputs[:half]), continuous))
    numbers["place"] = place(numbers, PLACED)
    trained = list_runs(args.settings["runs"], args.inputs[half:], continuous)
    numbers = numbers.merge(compare(trained, next(iter(models)), *TESTED), on=KEYS, how="left")
    return numbers, print_table(numbers, args.settings)


def list_runs(
    runs: Sequence[Sequence[object]], per_user: Sequence[Path], continuous: Sequence[str]
) -> pd.DataFrame:
    """Return a row per training: dataset, model, bits, seed, ``path`` and its own ``search``."""
    frame = pd.DataFrame(list(runs), columns=["dataset", "model", "bits", "seed"])
    own = {True: "continuous", False: "hierarchical"}
    return frame.assign(
        path=pd.Series(per_user, dtype=object), search=frame.model.isin(continuous).map(own)
    )


def compare(trained: pd.DataFrame, reference: str, metric: str, n: int) -> pd.DataFrame:
    """Return the mean difference of each method to ``reference``, its 95 % interval and p.

    See ``hashgnn.evaluation.statistics.difference``. p is corrected by Holm's method for all
    comparisons of the table. ``trained`` is the result of ``list_runs``.
    """
    rows = list(_comparisons(trained, reference, metric, n))
    found = pd.DataFrame(rows, columns=[*KEYS, *FOUND])
    found["p"] = holm(found["p"].to_list())
    return found


def _comparisons(
    trained: pd.DataFrame, reference: str, metric: str, n: int
) -> Iterator[tuple[object, ...]]:
    for (dataset, bits), group in trained.groupby(["dataset", "bits"], sort=False):
        values = {
            (model, search): values_of_seeds(own["path"].to_list(), str(search), metric, n)
            for (model, search), own in group.groupby(["model", "search"], sort=False)
        }
        base = next((value for (model, _), value in values.items() if model == reference), None)
        if base is None:
            continue
        for (model, search), value in values.items():
            if model != reference:
                found = difference(value, base)
                yield (dataset, model, bits, search, metric, n, reference, *found)


def print_table(numbers: pd.DataFrame, settings: Mapping[str, Any]) -> Printed:
    """Return a row per data set, code length and method; the best bold, the second underlined.

    ``settings``: pairs of id and name, ``datasets`` and ``models``; ``places`` of models in the
    paper, which are shown if there are data sets ``in_paper``.
    """
    models, datasets = dict(settings["models"]), dict(settings["datasets"])
    blocks = []
    for dataset, name in datasets.items():
        places = settings["places"] if dataset in settings["in_paper"] else {}
        for bits, rows in numbers[numbers.dataset == dataset].groupby("bits", sort=False):
            blocks.append(_block(rows, f"{name}, {bits} bits", models, places))
    table = pd.concat(blocks, ignore_index=True)
    if not settings["in_paper"]:
        table = table.drop(columns=IN_PAPER)
    caption = (
        f"Hierarchical search on {named(datasets.values())}: codes choose the candidates, vectors "
        "rank them. Methods without codes of their own rank all items by vectors. "
        f"{spread_note(numbers)}"
    )
    return Printed(table, caption, "Data set", [_legend(numbers, next(iter(models.values())))])


def _legend(numbers: pd.DataFrame, first: str) -> str:
    title = f"{METRICS[TESTED[0]]}@{TESTED[1]}"
    if numbers["p"].notna().any():
        test = "t test over users and seeds, Holm's correction for all methods of the table"
        return f"† {title} differs from that of {first} (p < {LEVEL:g}; {test})."
    return f"No tests against {first}: they need several seeds and the values of single users."


def _block(
    rows: pd.DataFrame, dataset: str, models: Mapping[str, str], places: Mapping[str, str]
) -> pd.DataFrame:
    columns = {}
    for metric, title in METRICS.items():
        for n in CUTOFFS:
            shown = rows[(rows.metric == metric) & (rows.n == n)]
            tested = (metric, n) == TESTED
            columns[f"{title}@{n}"] = marked(shown, shown["p"] < LEVEL if tested else None)
    block = pd.DataFrame(columns)
    ranked = rows[(rows.metric == TESTED[0]) & (rows.n == TESTED[1])].set_index(["model", "bits"])
    block["Place"] = ranked["place"].map("{:.0f}".format)
    block[IN_PAPER] = [places.get(model, "-") for model, _ in block.index]
    block.insert(0, "Method", [models[model] for model, _ in block.index])
    block.insert(0, "Data set", dataset)
    return block
