"""All methods by codes and by vectors, HR and NDCG at 50 and 100."""

import argparse
import sys
from collections.abc import Mapping, Sequence

import pandas as pd

from hashgnn.evaluation.statistics import over_seeds, read_metrics
from hashgnn.reporting.tables.formats import CUTOFFS, METRICS, marked, place, run_table, select

CODES = "hamming"
SIDES = {"codes": "Hamming", "vectors": "vectors"}


def make(args: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers and printed form; ``inputs`` are ``metrics.csv`` of every training in the grid."""
    numbers = over_seeds(both_sides(read_metrics(args.inputs), args.settings["continuous"]))
    numbers["place"] = place(numbers, ["dataset", "bits", "side", "metric", "n"])
    return numbers, printed(numbers, dict(args.settings["datasets"]), dict(args.settings["models"]))


def both_sides(frame: pd.DataFrame, continuous: Sequence[str]) -> pd.DataFrame:
    """Hamming search (``side`` codes) and each method's own search by vectors."""
    shown = frame.metric.isin(METRICS) & frame.n.isin(CUTOFFS) & (frame.search == CODES)
    sides = {"codes": frame[shown], "vectors": select(frame, continuous)}
    return pd.concat([rows.assign(side=side) for side, rows in sides.items()], ignore_index=True)


def printed(
    numbers: pd.DataFrame, datasets: Mapping[str, str], models: Mapping[str, str]
) -> pd.DataFrame:
    """A row a data set, length of code and method; the best bold, the second underlined."""
    blocks = [
        _block(rows, f"{name}, {bits} bits", models)
        for dataset, name in datasets.items()
        for bits, rows in numbers[numbers.dataset == dataset].groupby("bits")
    ]
    return pd.concat(blocks, ignore_index=True)


def _block(rows: pd.DataFrame, dataset: str, models: Mapping[str, str]) -> pd.DataFrame:
    columns = {}
    for side, search in SIDES.items():
        for metric, title in METRICS.items():
            for n in CUTOFFS:
                chosen = (rows.side == side) & (rows.metric == metric) & (rows.n == n)
                columns[f"{title}@{n}, {search}"] = marked(rows[chosen])
    block = pd.DataFrame(columns)
    block.insert(0, "Method", [models[model] for model, _ in block.index])
    block.insert(0, "Dataset", dataset)
    return block


if __name__ == "__main__":
    sys.exit(run_table(__doc__, make))
