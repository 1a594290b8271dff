"""The tables of the paper.

Table 1 has the sizes of the data sets, tables 2 and 3 HR and NDCG of hierarchical search and
differences between methods, table 4 the seconds that each search takes.
"""

import argparse
from collections.abc import Collection, Iterator, Mapping, Sequence
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
from hashgnn.evaluation.time_searches import BUSY, read_times
from hashgnn.reporting.tables import Cell, Printed, named, run_table
from hashgnn.reporting.tables.comparison import (
    CUTOFFS,
    METRICS,
    marked,
    place,
    select,
    spread_note,
)
from hashgnn.stage.record import read_record

# Of tables 2 and 3.
KEYS = ["dataset", "model", "bits", "search", "metric", "n"]
FOUND = ["reference", "difference", "difference_low", "difference_high", "p"]
TESTED = ("hr", 50)  # places and differences are by this metric
LEVEL = 0.05  # of significance
IN_PAPER = "In the paper"
PLACED = ["dataset", "bits", "metric", "n"]  # methods are ranked among rows equal in these

# Of table 4.
_CASE = ["dataset", "model", "bits", "users", "items", "k", "candidates", "threads"]
_BASELINE = "continuous"
_SEARCHES = {
    "continuous": "Continuous",
    "continuous, PyTorch": "PyTorch",
    "hierarchical": "Hierarchical",
    "hamming": "Hamming",
}

# Table 4 of Tan et al. (2020): seconds, and how many times as fast as continuous search, without
# Alibaba, whose data are not public. Which column is which data set is inferred, by users x items.
PAPER = {
    "movielens": {"hierarchical": (2.8, 1.3), "hamming": (1.5, 2.5)},
    "pinterest": {"hierarchical": (41.2, 1.7), "hamming": (27.8, 2.6)},
    "gowalla": {"hierarchical": (82.1, 2.3), "hamming": (66.1, 2.8)},
}
_UNKNOWN = (float("nan"), float("nan"))


def table1(argv: Sequence[str] | None = None) -> int:
    """Make table 1: statistics of the data sets."""
    return run_table(table1.__doc__, make_table1, argv)


def table2(argv: Sequence[str] | None = None) -> int:
    """Make table 2: hierarchical search on public data sets."""
    return run_table(table2.__doc__, make_table, argv)


def table3(argv: Sequence[str] | None = None) -> int:
    """Make table 3: hierarchical search on Alibaba's data, or the data used instead."""
    return run_table(table3.__doc__, make_table, argv)


def table4(argv: Sequence[str] | None = None) -> int:
    """Make table 4: seconds of each search over all users, beside the paper's speed-ups."""
    return run_table(table4.__doc__, make_table4, argv)


def make_table1(args: argparse.Namespace) -> tuple[pd.DataFrame, Printed]:
    """Return numbers and printed form; ``inputs`` are the records of preparation, by data set."""
    datasets = args.settings["datasets"]  # pairs of id and name
    numbers = pd.DataFrame(
        _count(dataset, name, path)
        for (dataset, name), path in zip(datasets, args.inputs, strict=True)
    )
    return numbers, print_sizes(numbers)


def print_sizes(numbers: pd.DataFrame) -> Printed:
    """Return a row per data set."""
    printed = pd.DataFrame({"Data set": numbers["name"]})
    for column in ("users", "items", "interactions"):
        printed[column.capitalize()] = numbers[column].map("{:,}".format)
    printed["Density"] = numbers.density.map("{:.3%}".format)
    caption = (
        f"Sizes of {named(numbers['name'])} after filtering. Density is interactions / (users x "
        "items)."
    )
    return Printed(printed, caption)


def _count(dataset: str, name: str, path: Path) -> dict[str, object]:
    record = read_record(path)
    users, items, rows = (record[key] for key in ("users", "items", "interactions"))
    return {
        "dataset": dataset,
        "name": name,
        "users": users,
        "items": items,
        "interactions": rows,
        "density": rows / (users * items),
    }


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
    return f"No significance tests against {first}: they need several seeds."


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


def make_table4(args: argparse.Namespace) -> tuple[pd.DataFrame, Printed]:
    """Return numbers and printed form; ``inputs`` are ``timing.csv`` of all trainings."""
    numbers = summarize(read_times(args.inputs), args.settings["in_paper"])
    names = dict(args.settings["datasets"]), dict(args.settings["models"])
    return numbers, print_times(numbers, *names)


def summarize(times: pd.DataFrame, in_paper: Collection[str]) -> pd.DataFrame:
    """Return median, fastest and slowest round of each search, its speed-up and the paper's.

    ``busy`` is the least share of its processors that a round had; ``speedup`` is over our own
    continuous search, ``speedup_pytorch`` over PyTorch's, by medians. The paper's values are given
    for the data sets ``in_paper``.
    """
    grouped = times.groupby([*_CASE, "search"], sort=False)
    numbers = grouped.agg(
        seconds=("seconds", "median"),
        fastest=("seconds", "min"),
        slowest=("seconds", "max"),
        rounds=("seconds", "size"),
        busy=("busy", "min"),
    ).reset_index()
    for column, baseline in (("speedup", _BASELINE), ("speedup_pytorch", "continuous, PyTorch")):
        seconds = numbers[numbers.search == baseline].set_index(_CASE).seconds
        numbers[column] = seconds.loc[pd.MultiIndex.from_frame(numbers[_CASE])].to_numpy()
        numbers[column] /= numbers.seconds
    known = {dataset: values for dataset, values in PAPER.items() if dataset in in_paper}
    paper = [
        known.get(dataset, {}).get(search, _UNKNOWN)
        for dataset, search in zip(numbers.dataset, numbers.search, strict=True)
    ]
    numbers["paper_seconds"], numbers["paper_speedup"] = zip(*paper, strict=True)
    return numbers


def print_times(
    numbers: pd.DataFrame, datasets: Mapping[str, str], models: Mapping[str, str]
) -> Printed:
    """Return a row per data set, method and code length; a star marks a machine that was busy."""
    paper = bool(numbers["paper_speedup"].notna().any())
    rows = [_row(case, datasets, models, paper) for _, case in numbers.groupby(_CASE, sort=False)]
    busy = (numbers["busy"] < BUSY).any()
    star = f"* Got less than {BUSY:.0%} of its processors: other processes slowed it down."
    k, rounds = numbers["k"].iloc[0], numbers["rounds"].min()
    threads = numbers["threads"].iloc[0]
    caption = (
        f"Seconds to find the top {k} items of all users of "
        f"{named(datasets[id] for id in numbers['dataset'].unique())}: median, fastest and slowest "
        f"of {rounds} rounds, {threads} thread{'s' * bool(threads > 1)}. Speed-ups are over this "
        "project's continuous search."
    )
    return Printed(pd.DataFrame(rows), caption, "Data set", [star] * bool(busy))


def _row(
    case: pd.DataFrame, datasets: Mapping[str, str], models: Mapping[str, str], paper: bool
) -> dict[str, str | Cell]:
    first = case.iloc[0]
    sizes = f"{first.users:,} users, {first['items']:,} items"
    row: dict[str, str | Cell] = {
        "Data set": f"{datasets[first.dataset]}: {sizes}",
        "Method": models[first.model],
        "Bits": str(first.bits),
    }
    by_search = dict(zip(case.search, case.itertuples(index=False), strict=True))
    for search, title in _SEARCHES.items():
        row[f"{title} (s)"] = _seconds(by_search[search])
    for search in ("hierarchical", "hamming"):
        title = _SEARCHES[search]
        row[f"{title} speed-up"] = f"{by_search[search].speedup:.1f}"
        if paper:
            theirs = by_search[search].paper_speedup
            row[f"{title}, paper"] = "-" if pd.isna(theirs) else f"{theirs:.1f}"
    return row


def _seconds(search: Any) -> Cell:
    star = "" if search.busy >= BUSY else "*"
    return Cell(
        f"{search.seconds:.3f}", sign=star, spread=f"{search.fastest:.3f} to {search.slowest:.3f}"
    )
