"""Table 2: hierarchical search, all methods, HR and NDCG at 50 and 100."""

import argparse
import sys
from collections.abc import Mapping, Sequence

import pandas as pd

from hashgnn.metrics.tidy import over_seeds, read_metrics
from hashgnn.tables.formats import run_table

CUTOFFS = (50, 100)
METRICS = {"hr": "HR", "ndcg": "NDCG"}


def make(args: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers and printed form; ``inputs`` are metrics of every training in the grid."""
    datasets, models = dict(args.settings["datasets"]), dict(args.settings["models"])
    frame = select(read_metrics(args.inputs), args.settings["continuous"])
    numbers = over_seeds(frame)
    return numbers, printed(numbers, datasets, models)


def select(frame: pd.DataFrame, continuous: Sequence[str]) -> pd.DataFrame:
    """Hierarchical search, but continuous search for the methods named in ``continuous``."""
    own_search = frame.model.isin(continuous).map({True: "continuous", False: "hierarchical"})
    shown = (frame.search == own_search) & frame.metric.isin(METRICS) & frame.n.isin(CUTOFFS)
    return frame[shown]


def printed(
    numbers: pd.DataFrame, datasets: Mapping[str, str], models: Mapping[str, str]
) -> pd.DataFrame:
    """A row a data set, method and length of code; the best bold, the second underlined."""
    blocks = []
    for dataset, name in datasets.items():
        rows = numbers[numbers.dataset == dataset]
        block = pd.DataFrame(
            {
                f"{title}@{n}": _column(rows, metric, n)
                for metric, title in METRICS.items()
                for n in CUTOFFS
            }
        )
        block.insert(0, "Bits", [str(bits) for _, bits in block.index])
        block.insert(0, "Method", [models[model] for model, _ in block.index])
        block.insert(0, "Dataset", name)
        blocks.append(block)
    return pd.concat(blocks, ignore_index=True)


def _column(rows: pd.DataFrame, metric: str, n: int) -> pd.Series:
    chosen = rows[(rows.metric == metric) & (rows.n == n)].set_index(["model", "bits"])
    cells = [_cell(mean, std) for mean, std in zip(chosen["mean"], chosen["std"], strict=True)]
    order = chosen["mean"].rank(ascending=False, method="first")
    marks = {1: "**{}**", 2: "_{}_"}
    marked = [marks.get(int(place), "{}").format(c) for place, c in zip(order, cells, strict=True)]
    return pd.Series(marked, index=chosen.index)


def _cell(mean: float, deviation: float) -> str:
    """The mean, with the deviation over seeds where there are several."""
    return f"{mean:.4f}" if pd.isna(deviation) else f"{mean:.4f} ± {deviation:.4f}"


if __name__ == "__main__":
    sys.exit(run_table(__doc__, make))
