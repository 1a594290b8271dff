"""Make the table of tuning: all settings tried, their validation HR@50, the best marked."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.evaluation.statistics import at_cutoff, read_metrics
from hashgnn.reporting.tables import Cell, Printed, to_markdown, write_text
from hashgnn.reporting.tables.formats import to_html
from hashgnn.stage.command import Facts, run_stage, stage_parser

CUTOFF = 50
_SEARCHES = ["hamming", "hierarchical", "continuous"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument("inputs", type=Path, nargs="+", help="validation.csv of every trial")
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--md", type=Path, required=True)
    parser.add_argument("--html", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    trials, names = args.settings["trials"], args.settings["names"]
    tried = pd.DataFrame(
        [
            score(trial, path, args.settings["continuous"])
            for trial, path in zip(trials, args.inputs, strict=True)
        ]
    )
    tried["place"] = tried.groupby(["dataset", "method"])["score"].rank(
        ascending=False, method="first"
    )
    write_text(args.csv, tried.to_csv(index=False))
    printed = print_trials(tried, names)
    write_text(args.md, to_markdown(printed))
    write_text(args.html, to_html(printed, "tuning"))
    outdone = list(advice(tried))
    for line in outdone:
        print(f"warning: {line}")
    return {"outdone": outdone}


def score(trial: Mapping[str, Any], path: Path, continuous: Sequence[str]) -> dict[str, Any]:
    """Return a row: the trial, validation HR@50 of each search, and the trial's ``score``.

    The score is HR of continuous search for methods without codes of their own, else the mean of
    Hamming and hierarchical search.
    """
    frame = at_cutoff(read_metrics([path]), CUTOFF)
    rates = frame[frame.metric == "hr"].set_index("search").value
    chosen = ["continuous"] if trial["method"] in continuous else ["hamming", "hierarchical"]
    setting = ", ".join(f"{key} = {value}" for key, value in trial["values"].items())
    return {
        "dataset": trial["dataset"],
        "method": trial["method"],
        "setting": setting,
        **{search: rates.get(search, float("nan")) for search in _SEARCHES},
        "score": rates[chosen].mean(),
        "configured": trial["configured"],
    }


def print_trials(tried: pd.DataFrame, names: Mapping[str, str]) -> Printed:
    """Return all trials, the best of each method and data set first and bold."""
    ordered = tried.sort_values(["dataset", "method", "place"], kind="stable")
    best = ordered["place"] == 1
    scores = [f"{score:.4f}" for score in ordered["score"]]
    table = pd.DataFrame(
        {
            "Data set": ordered["dataset"].map(names),
            "Method": ordered["method"].map(names),
            "Setting": ordered["setting"],
            f"Validation HR@{CUTOFF}": [
                Cell(score, "bold" if first else None)
                for score, first in zip(scores, best, strict=True)
            ],
        }
    )
    for search in _SEARCHES:
        table[search.capitalize()] = ordered[search].map("{:.4f}".format)
    table["In the config"] = ordered["configured"].map({True: "yes", False: ""})
    caption = (
        f"Settings compared on the validation part. HR@{CUTOFF} is of continuous search for "
        "methods without codes of their own, else the mean of Hamming and hierarchical search. "
        "The best of each method is bold."
    )
    return Printed(table, caption, "Data set")


def advice(tried: pd.DataFrame) -> list[str]:
    """Return a line for each method whose setting in the config is not the best one tried."""
    lines = []
    for (dataset, method), rows in tried.groupby(["dataset", "method"], sort=False):
        best = rows.sort_values("score", ascending=False, kind="stable").iloc[0]
        own = rows[rows["configured"]].iloc[0]
        if best["score"] > own["score"]:
            lines.append(
                f"models.{method} on {dataset}: the config's {own['setting']} reached "
                f"{own['score']:.4f} on validation, {best['setting']} {best['score']:.4f}"
            )
    return lines


if __name__ == "__main__":
    sys.exit(main())
