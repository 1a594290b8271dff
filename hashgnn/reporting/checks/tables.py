"""Checks of tables of methods: that their columns are of the same runs."""

from collections.abc import Hashable, Iterator
from typing import Any

import pandas as pd

from hashgnn.reporting.checks.check import Check

_PLACE = ["dataset", "bits", "metric", "n"]
_ROUNDING = 1e-6  # users' values are kept as float32


def check_table(name: str, table: pd.DataFrame) -> Iterator[Check]:
    """Rules of ``table``, the CSV of the table of hierarchical search called ``name``."""
    means = {tuple(row[key] for key in [*_PLACE, "model"]): row["mean"] for row in _rows(table)}
    for row in _rows(table[table["difference"].notna()]):
        place = tuple(row[key] for key in _PLACE)
        expected = row["mean"] - means[(*place, row["reference"])]
        kept = abs(row["difference"] - expected) <= _ROUNDING
        detail = "" if kept else f"{row['difference']:+.6f}, of the means {expected:+.6f}"
        yield Check(_subject(name, row), "differences are those of the means", kept, detail)
    for value, prefix in (("mean", ""), ("difference", "difference_")):
        for row in _rows(table[table[f"{prefix}low"].notna()]):
            low, high = row[f"{prefix}low"] - _ROUNDING, row[f"{prefix}high"] + _ROUNDING
            kept = low <= row[value] <= high
            detail = "" if kept else f"{row[value]:.6f} is not in {low:.6f} to {high:.6f}"
            yield Check(_subject(name, row), "intervals hold their value", kept, detail)


def _rows(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    return table.to_dict("records")


def _subject(name: str, row: dict[Hashable, Any]) -> str:
    place = f"{row['dataset']}/{row['model']}/bits{row['bits']}"
    return f"{name} {place} {row['metric']}@{row['n']}"
