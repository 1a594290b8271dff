"""Make the table of tuning: what each study chose, what that gained, and what it cost."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.experiment.tune import chosen_rows, read_trials
from hashgnn.reporting.tables import Printed, to_html, to_markdown, write_text
from hashgnn.stage.command import Facts, run_stage, stage_parser

CAPTION = (
    "What tuning chose, by recall on the validation part. The first trial of a study has the "
    "settings of the config; all studies have the same limits of trials and processor seconds."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument("inputs", type=Path, nargs="+", help="trials.csv of every study")
    parser.add_argument("--csv", type=Path, required=True, help="all trials")
    parser.add_argument("--md", type=Path, required=True, help="one row per study")
    parser.add_argument("--html", type=Path, required=True, help="the same")
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    trials = pd.concat(map(read_trials, args.inputs), ignore_index=True)
    printed = print_studies(trials, args.settings)
    write_text(args.csv, trials.to_csv(index=False))
    write_text(args.md, to_markdown(printed))
    write_text(args.html, to_html(printed, "tuning"))
    return {}


def print_studies(trials: pd.DataFrame, settings: Mapping[str, Any]) -> Printed:
    """Return a row per study: validation recall of the default and of the chosen setting, costs.

    Args:
        trials: The records of all studies.
        settings: ``names`` of data sets and models by id, and the limits ``trials`` and
            ``seconds`` of a study.
    """
    names, rows = settings["names"], []
    for _, chosen in chosen_rows(trials).iterrows():
        own = trials[(trials.dataset == chosen.dataset) & (trials.model == chosen.model)]
        default = own[own.trial == 0].iloc[0]
        seconds = own.seconds.sum()
        rows.append(
            {
                "Data set": names[chosen.dataset],
                "Method": names[chosen.model],
                "Default": f"{default.value:.4f}",
                "Chosen": f"{chosen.value:.4f}",
                "Gain": f"{chosen.value - default.value:+.4f}",
                "Setting": changed(json.loads(default.settings), json.loads(chosen.settings)),
                "Trials": f"{len(own)} of {settings['trials']}",
                "Processor seconds": f"{seconds:,.0f} of {settings['seconds']:,}",
            }
        )
    return Printed(pd.DataFrame(rows), CAPTION, "Data set")


def changed(default: Mapping[str, Any], chosen: Mapping[str, Any]) -> str:
    """Return the values of ``chosen`` that differ from ``default``, for people."""
    differing = {key: value for key, value in chosen.items() if value != default.get(key)}
    return ", ".join(f"{key} = {value}" for key, value in differing.items()) or "default"


if __name__ == "__main__":
    sys.exit(main())
