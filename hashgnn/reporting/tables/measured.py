"""Table 1, statistics of the data sets; table 4, seconds that each search takes."""

import argparse
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.evaluation.time_searches import BUSY, read_times
from hashgnn.reporting.tables import Cell, Printed, named, run_table
from hashgnn.stage.record import read_record

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
