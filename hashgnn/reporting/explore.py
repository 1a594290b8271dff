"""The page of results: all methods by data set, measure, search, length of code K and list n."""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import to_hex

from hashgnn.evaluation.statistics import over_seeds, read_metrics
from hashgnn.files import atomic_write
from hashgnn.reporting.figures.style import look
from hashgnn.stage.command import Facts, run_stage, stage_parser

SEARCHES = {"hamming": "Hamming", "hierarchical": "hierarchical", "continuous": "continuous"}
MEASURES = {
    "hr": "HR@n, share of a user's test items found",
    "ndcg": "NDCG@n",
    "any_hit": "any hit, share of users with at least one test item found",
}
_KEYS = ["dataset", "model", "search", "metric", "bits", "n"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument("inputs", type=Path, nargs="+", help="metrics.csv of trainings")
    parser.add_argument("--template", type=Path, required=True, help="HTML with a place for data")
    parser.add_argument("--output", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    data = gather(read_metrics(args.inputs), args.settings)
    with atomic_write(args.output) as temporary:
        temporary.write_text(fill(args.template.read_text(encoding="utf-8"), data), "utf-8")
    return {"rows": len(data["rows"])}


def gather(metrics: pd.DataFrame, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows: names, and a row for each value measured, over seeds.

    ``settings`` has pairs of id and name, ``datasets`` and ``models``, and ``continuous``, the
    methods without codes of their own: whatever the search, these show their inner products.
    """
    shown = over_seeds(_ranked(metrics, settings["continuous"]))
    values = shown[[*_KEYS, "mean", "low", "high", "seeds"]]
    rows = values.astype(object).where(values.notna(), None).to_numpy().tolist()
    names = dict(settings["models"])
    dashed = set(settings["continuous"])
    models = {
        id: {"name": names[id], "color": color, "dashed": id in dashed}
        for id, color in _colors(names)
    }
    return {
        "datasets": dict(settings["datasets"]),
        "models": models,
        "searches": SEARCHES,
        "measures": MEASURES,
        "rows": rows,
    }


def fill(template: str, data: Mapping[str, Any]) -> str:
    """``template`` with ``data`` as JSON in which no text can end the script element."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return template.replace("DATA", text, 1)


def _ranked(metrics: pd.DataFrame, continuous: Sequence[str]) -> pd.DataFrame:
    own = ~metrics.model.isin(continuous)
    vectors = metrics[~own & (metrics.search == "continuous")]
    return pd.concat([metrics[own], *(vectors.assign(search=search) for search in SEARCHES)])


def _colors(models: Iterable[str]) -> Iterable[tuple[str, str]]:
    """The color that a method has in the figures, or, where an earlier one has it, a free one."""
    free = map(to_hex, colormaps["tab20b"].colors)  # type: ignore[attr-defined]
    taken: set[str] = set()
    for model in models:
        color = to_hex(look(model).color)
        while color in taken:
            color = next(free)
        taken.add(color)
        yield model, color


if __name__ == "__main__":
    sys.exit(main())
