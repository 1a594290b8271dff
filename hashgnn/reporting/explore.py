"""Make the page of all results: methods by data set, measure, search, code length and n."""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.evaluation.statistics import over_seeds, read_metrics
from hashgnn.evaluation.time_searches import read_times
from hashgnn.files import atomic_write
from hashgnn.stage.command import Facts, run_stage, stage_parser

SEARCHES = {"hamming": "Hamming", "hierarchical": "hierarchical", "continuous": "continuous"}
_ASYMMETRIC = {
    "asymmetric": "asymmetric (not in the paper)",
    "asymmetric re-rank": "asymmetric re-rank (not in the paper)",
}
MEASURES = {
    "hr": "HR@n (recall), share of a user's test items found",
    "ndcg": "NDCG@n",
    "any_hit": "hit rate, share of users with at least one test item found",
}
_OTHER_MEASURES = {
    "precision": "precision@n, share of a user's list that is in the test items",
    "mrr": "MRR@n, mean of 1 / rank of the first test item",
    "map": "MAP@n, mean average precision",
    "coverage": "coverage, share of items that are in any user's list",
    "novelty": "novelty, mean of -log2(share of users who have the item)",
    "gini": "Gini coefficient of how many lists hold each item",
}
_KEYS = ["dataset", "model", "search", "metric", "bits", "n"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument("inputs", type=Path, nargs="+", help="metrics.csv of trainings")
    parser.add_argument("--times", type=Path, nargs="*", default=[], help="timing.csv of trainings")
    parser.add_argument("--template", type=Path, required=True, help="HTML with a place for data")
    parser.add_argument("--output", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    data = gather(read_metrics(args.inputs), args.settings)
    data["times"] = times(read_times(args.times)) if args.times else {}
    with atomic_write(args.output) as temporary:
        temporary.write_text(fill(args.template.read_text(encoding="utf-8"), data), "utf-8")
    return {"rows": len(data["rows"])}


def gather(metrics: pd.DataFrame, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows: names, and a row for each metric, over seeds.

    Args:
        metrics: Rows of all trainings.
        settings: Pairs of id and name, ``datasets`` and ``models``; ``looks`` of models; and
            ``continuous``, the methods without codes of their own, which are ranked by inner
            product in every search.
    """
    evaluated = set(metrics.search)
    searches = SEARCHES | {id: name for id, name in _ASYMMETRIC.items() if id in evaluated}
    measured = set(metrics.metric)
    measures = MEASURES | {id: name for id, name in _OTHER_MEASURES.items() if id in measured}
    shown = over_seeds(_ranked(metrics, settings["continuous"], searches))
    values = shown[[*_KEYS, "mean", "low", "high", "seeds"]]
    rows = values.astype(object).where(values.notna(), None).to_numpy().tolist()
    models = {
        id: {
            "name": name,
            "color": settings["looks"][id][0],
            "marker": settings["looks"][id][1],
            "dashed": id in settings["continuous"],
        }
        for id, name in settings["models"]
    }
    return {
        "datasets": dict(settings["datasets"]),
        "models": models,
        "searches": searches,
        "measures": measures,
        "rows": rows,
    }


def times(timing: pd.DataFrame) -> dict[str, float]:
    """Return median microseconds per query, by data set, search and bits, joined by ``|``."""
    keys = ["dataset", "search", "bits", "users"]
    medians = timing.groupby(keys, sort=False)["seconds"].median().reset_index()
    return {
        f"{row['dataset']}|{row['search']}|{row['bits']}": 1e6 * row["seconds"] / row["users"]
        for row in medians.to_dict("records")
    }


def fill(template: str, data: Mapping[str, Any]) -> str:
    """Fill ``template`` with ``data``, as JSON in which no text can end the script element."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return template.replace("DATA", text, 1)


def _ranked(
    metrics: pd.DataFrame, continuous: Sequence[str], searches: Iterable[str]
) -> pd.DataFrame:
    """Return the rows of ``searches``; ``continuous`` methods rank by vectors in each of them."""
    own = ~metrics.model.isin(continuous)
    vectors = metrics[~own & (metrics.search == "continuous")]
    return pd.concat([metrics[own], *(vectors.assign(search=search) for search in searches)])


if __name__ == "__main__":
    sys.exit(main())
