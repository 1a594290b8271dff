"""Anchors: our continuous methods beside published numbers, on the split of those."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import pandas as pd

from hashgnn.evaluation.statistics import over_seeds, read_metrics
from hashgnn.reporting.tables.formats import run_table

CUTOFF = 20
METRICS = {"hr": "Recall", "ndcg": "NDCG"}


def make(args: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers and printed form; ``inputs`` are metrics of every training in the grid."""
    settings = args.settings
    numbers = compare(read_metrics(args.inputs), settings["published"])
    return numbers, printed(numbers, dict(settings["datasets"]), dict(settings["models"]))


def compare(frame: pd.DataFrame, published: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Recall@20, which is HR@20, and NDCG@20 by continuous search, and what is published.

    ``published``: for each model its ``hr``, ``ndcg`` and ``source``; NaN for what it lacks.
    ``ratio`` is ours to theirs.
    """
    chosen = (frame.search == "continuous") & (frame.n == CUTOFF) & frame.metric.isin(METRICS)
    numbers = over_seeds(frame[chosen])
    pairs = list(zip(numbers.model, numbers.metric, strict=True))
    theirs = [published.get(model, {}).get(metric, float("nan")) for model, metric in pairs]
    numbers["published"] = theirs
    numbers["ratio"] = numbers["mean"] / numbers["published"]
    numbers["source"] = [published.get(model, {}).get("source", "") for model in numbers.model]
    return numbers


def printed(
    numbers: pd.DataFrame, datasets: Mapping[str, str], models: Mapping[str, str]
) -> pd.DataFrame:
    """A row for each data set, method and number of dimensions."""
    rows = []
    for (dataset, model, bits), group in numbers.groupby(["dataset", "model", "bits"], sort=False):
        names = datasets[str(dataset)], models[str(model)], str(bits)
        row = dict(zip(("Dataset", "Method", "Dimensions"), names, strict=True))
        for metric, title in METRICS.items():
            line = group[group.metric == metric].iloc[0]
            row[f"{title}@{CUTOFF}"] = f"{line['mean']:.4f}"
            row[f"{title}@{CUTOFF}, published"] = _cell(line.published)
        rows.append({**row, "Source": group.source.iloc[0]})
    return pd.DataFrame(rows)


def _cell(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.4f}"


if __name__ == "__main__":
    sys.exit(run_table(__doc__, make))
