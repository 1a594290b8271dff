"""Table 1, statistics of the data sets; table 4, seconds that each search takes."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.data.interactions import load_interactions
from hashgnn.evaluation.time_searches import BUSY, read_times
from hashgnn.reporting.tables import run_table

_CASE = ["dataset", "model", "bits", "users", "items", "k", "candidates", "threads"]
_BASELINE = "continuous"
_SEARCHES = {
    "continuous": "Continuous",
    "continuous, PyTorch": "PyTorch",
    "hierarchical": "Hierarchical",
    "hamming": "Hamming",
}

# Table 4 of Tan et al. (2020): seconds, and how many times as fast as continuous search. Which
# column is which data set is inferred, by users x items.
PAPER = {
    "movielens": {"hierarchical": (2.8, 1.3), "hamming": (1.5, 2.5)},
    "pinterest": {"hierarchical": (41.2, 1.7), "hamming": (27.8, 2.6)},
    "gowalla": {"hierarchical": (82.1, 2.3), "hamming": (66.1, 2.8)},
    "alibaba": {"hierarchical": (4295.8, 3.5), "hamming": (4163.9, 3.6)},
}
# The data of Alibaba are not public.
_STAND_INS = dict.fromkeys(
    ("alibaba_like", "alibaba_full", "taobao_subset", "taobao_userbehavior"), "alibaba"
)
_UNKNOWN = (float("nan"), float("nan"))


def table1(argv: Sequence[str] | None = None) -> int:
    """Make table 1: statistics of the data sets."""
    return run_table(table1.__doc__, make_table1, argv)


def table4(argv: Sequence[str] | None = None) -> int:
    """Make table 4: seconds of each search over all users, beside the paper's speed-ups."""
    return run_table(table4.__doc__, make_table4, argv)


def make_table1(args: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return numbers and printed form; ``inputs`` are interactions in the order of data sets."""
    datasets = args.settings["datasets"]  # pairs of id and name
    numbers = pd.DataFrame(
        _count(dataset, name, path)
        for (dataset, name), path in zip(datasets, args.inputs, strict=True)
    )
    printed = pd.DataFrame({"Dataset": numbers["name"]})
    for column in ("users", "items", "interactions"):
        printed[f"#{column.capitalize()}"] = numbers[column].map("{:,}".format)
    printed["Density"] = numbers.density.map("{:.3%}".format)
    return numbers, printed


def _count(dataset: str, name: str, path: Path) -> dict[str, object]:
    interactions = load_interactions(path)
    users, items, rows = interactions.n_users, interactions.n_items, len(interactions.user)
    return {
        "dataset": dataset,
        "name": name,
        "users": users,
        "items": items,
        "interactions": rows,
        "density": rows / (users * items),
    }


def make_table4(args: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return numbers and printed form; ``inputs`` are ``timing.csv`` of all trainings."""
    numbers = summarize(read_times(args.inputs))
    names = dict(args.settings["datasets"]), dict(args.settings["models"])
    return numbers, print_times(numbers, *names)


def summarize(times: pd.DataFrame) -> pd.DataFrame:
    """Return median, fastest and slowest round of each search, its speed-up and the paper's.

    ``busy`` is the least share of its processors that a round had; ``speedup`` is over our own
    continuous search, ``speedup_pytorch`` over PyTorch's, by medians.
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
    paper = [
        PAPER.get(_STAND_INS.get(dataset, dataset), {}).get(search, _UNKNOWN)
        for dataset, search in zip(numbers.dataset, numbers.search, strict=True)
    ]
    numbers["paper_seconds"], numbers["paper_speedup"] = zip(*paper, strict=True)
    return numbers


def print_times(
    numbers: pd.DataFrame, datasets: Mapping[str, str], models: Mapping[str, str]
) -> pd.DataFrame:
    """Return a row per data set, method and code length; a star marks a machine that was busy."""
    rows = []
    for _, case in numbers.groupby(_CASE, sort=False):
        first = case.iloc[0]
        row = {
            "Dataset": datasets[first.dataset],
            "Method": models[first.model],
            "Bits": str(first.bits),
            "Users": f"{first.users:,}",
            "Items": f"{first['items']:,}",
        }
        by_search = dict(zip(case.search, case.itertuples(index=False), strict=True))
        for search, title in _SEARCHES.items():
            row[f"{title} (s)"] = _seconds(by_search[search])
        for search in ("hierarchical", "hamming"):
            row[f"{_SEARCHES[search]} speed-up"] = _speedup(by_search[search])
        rows.append(row)
    return pd.DataFrame(rows)


def _seconds(search: Any) -> str:
    star = "" if search.busy >= BUSY else "*"
    return f"{search.seconds:.3g}{star} [{search.fastest:.3g}, {search.slowest:.3g}]"


def _speedup(search: Any) -> str:
    paper = "" if pd.isna(search.paper_speedup) else f" (paper {search.paper_speedup:.1f})"
    return f"{search.speedup:.1f}{paper}"
