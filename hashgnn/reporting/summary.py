"""Summarize a run, as the first page of the report: what was run, verdicts, best methods."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.evaluation.statistics import over_seeds, read_metrics
from hashgnn.reporting.explore import SEARCHES
from hashgnn.reporting.tables import named, write_text
from hashgnn.stage.command import Facts, run_stage, stage_parser

TITLE = """Learning to Hash with Graph Neural Networks for Recommender Systems
===================================================================

The paper of Tan et al. (WWW 2020), reproduced. The graph beside this text shows the rules
of the workflow; the menu leads to figures, tables and claims, each with the commands and files
behind it."""
PREFERRED = 50
VERDICTS = {
    "holds": ("holds", "hold"),
    "holds in part": ("holds in part", "hold in part"),
    "does not hold": ("does not hold", "do not hold"),
    "not run": ("was not run", "were not run"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument("inputs", type=Path, nargs="+", help="metrics.csv of trainings")
    parser.add_argument("--claims", type=Path, nargs="?", help="claims.csv")
    parser.add_argument("--checks", type=Path, nargs="?", help="checks.csv")
    parser.add_argument("--output", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    metrics = read_metrics(args.inputs)
    parts = [
        TITLE,
        "{% raw %}",  # Snakemake fills in templates
        describe(metrics, args.settings),
        *best_methods(metrics, args.settings),
        *([verdicts(pd.read_csv(args.claims))] if args.claims else []),
        *([kept(pd.read_csv(args.checks))] if args.checks else []),
        "{% endraw %}",
    ]
    write_text(args.output, "\n\n".join(parts) + "\n")
    return {}


def describe(metrics: pd.DataFrame, settings: Mapping[str, Any]) -> str:
    """Return what was run, and on what."""
    runs = metrics[["dataset", "model", "bits", "seed"]].drop_duplicates()
    seeds = runs.groupby(["dataset", "model", "bits"]).size()
    each = f"{seeds.min()}" if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()}"
    lengths = named(map(str, sorted(runs["bits"].unique())))
    data = named(name for _, name in settings["datasets"])
    made = [name for id, name in settings["datasets"] if id in settings["generated"]]
    note = f" Generated data say nothing about real users: {named(made)}." if made else ""
    return (
        f"{len(runs)} trainings of {runs['model'].nunique()} methods (codes of {lengths} bits, "
        f"{each} seed{'s' if seeds.max() > 1 else ''} each) on {_text(data)}.{_text(note)}"
    )


def best_methods(metrics: pd.DataFrame, settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line per data set: the best method by each search.

    Only codes that were learned count for the searches by codes.
    """
    models, n = dict(settings["models"]), _cutoff(metrics)
    rates = metrics[(metrics.metric == "hr") & (metrics.n == n)]
    learned = ~rates.model.isin(settings["continuous"]) | (rates.search == "continuous")
    means = over_seeds(rates[learned])
    yield f"Best by HR\\@{n} (recall), mean over seeds:"
    for dataset, name in settings["datasets"]:
        shown = means[means.dataset == dataset]
        best = [
            f"{title} search {models[row['model']]} {row['mean']:.3f} ({row['bits']} bits)"
            for search, title in SEARCHES.items()
            for row in shown[shown.search == search].nlargest(1, "mean").to_dict("records")
        ]
        yield f"- **{_text(name)}**: {_text(named(best) if best else '-')}"


def _cutoff(metrics: pd.DataFrame) -> int:
    """Return 50, which most tables show, or the middle one of other cutoffs."""
    cutoffs = sorted(metrics["n"].unique().tolist())
    return PREFERRED if PREFERRED in cutoffs else int(cutoffs[(len(cutoffs) - 1) // 2])


def verdicts(claims: pd.DataFrame) -> str:
    """Return how many claims of the paper hold."""
    counts = claims["verdict"].value_counts()
    found = [
        f"{counts[verdict]} {many if counts[verdict] > 1 else one}"
        for verdict, (one, many) in VERDICTS.items()
        if verdict in counts
    ]
    return f"Of {len(claims)} claims of the paper, {named(found)}."


def kept(checks: pd.DataFrame) -> str:
    """Return how many consistency checks were kept."""
    number = int(checks["kept"].astype(bool).sum())
    return f"Consistency checks kept: {number:,} of {len(checks):,}."


def _text(name: str) -> str:
    """Escape what reStructuredText would take for markup."""
    return "".join(f"\\{character}" if character in "\\*`|_@" else character for character in name)


if __name__ == "__main__":
    sys.exit(main())
