"""Table 1: statistics of the data sets."""

import argparse
import sys
from pathlib import Path

import pandas as pd

from hashgnn.data.interactions import load_interactions
from hashgnn.reporting.tables.formats import run_table


def make(args: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers and printed form; ``inputs`` are interactions in the order of the data sets."""
    datasets = args.settings["datasets"]  # pairs of id and name
    numbers = pd.DataFrame(
        _row(dataset, name, path)
        for (dataset, name), path in zip(datasets, args.inputs, strict=True)
    )
    return numbers, _printed(numbers)


def _row(dataset: str, name: str, path: Path) -> dict[str, object]:
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


def _printed(numbers: pd.DataFrame) -> pd.DataFrame:
    printed = pd.DataFrame({"Dataset": numbers["name"]})
    for column in ("users", "items", "interactions"):
        printed[f"#{column.capitalize()}"] = numbers[column].map("{:,}".format)
    printed["Density"] = numbers.density.map("{:.3%}".format)
    return printed


if __name__ == "__main__":
    sys.exit(run_table(__doc__, make))
