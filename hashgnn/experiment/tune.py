"""Choose hyper-parameters of one method on one data set by a study: a stage."""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from hashgnn.config.base import parse
from hashgnn.config.studies import Dimension
from hashgnn.data.interactions import load_split
from hashgnn.errors import InputError
from hashgnn.experiment.study import Limits, Problem, Study, Trial, best
from hashgnn.files import atomic_write, file_checksum
from hashgnn.stage.command import Facts, run_stage
from hashgnn.training.fit import load_method
from hashgnn.training.monitoring import print_progress
from hashgnn.training.train import (
    choose_device,
    describe_device,
    fingerprint,
    keep_freed_memory,
    task_of,
    training_parser,
)

# Settings of the stage that a longer study may change; its trials stay as they are.
_LIMITS = ("trials", "seconds", "reduction", "least_epochs")

COLUMNS = ("dataset", "model", "study", "trial", "state", "value", "epochs", "seconds", "settings")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = training_parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the study is kept")
    parser.add_argument("--trials", type=Path, required=True, help="CSV of all trials")
    parser.add_argument("--tuned", type=Path, required=True, help="YAML of the chosen values")
    return run_stage(parser, _run, argv, "run the same command again; the study resumes")


def _run(args: argparse.Namespace) -> Facts:
    keep_freed_memory()
    settings = args.settings
    device = choose_device(args.device)
    inputs = (args.split, args.triplets, *args.pretrained, args.features)
    checksums = [str(file_checksum(path, "sha256")) for path in inputs if path]
    fixed = {key: value for key, value in settings.items() if key not in _LIMITS}
    task = task_of(args, load_split(args.split), device)
    space = {key: parse(Dimension, block, key) for key, block in settings["space"].items()}
    problem = Problem(load_method(settings["method"]), task, settings["parameters"], space)
    limits = Limits(clock=time.process_time, **{key: settings[key] for key in _LIMITS})
    digest = fingerprint(fixed, device, checksums)
    trials = Study(problem, limits, digest, args.folder, print_progress).run()
    chosen = best(trials)
    if chosen is None:
        raise InputError(
            f"no epoch ended within tuning.seconds, {settings['seconds']:,}: raise it, or make "
            "an epoch shorter"
        )
    _write(args, trials, chosen)
    gained = {"default": trials[0].value, "chosen": chosen.value, "trials": len(trials)}
    return {"device": describe_device(device), "device_option": args.device, **gained}


def _write(args: argparse.Namespace, trials: Sequence[Trial], chosen: Trial) -> None:
    settings = args.settings
    with atomic_write(args.trials) as temporary:
        table(settings, trials).to_csv(temporary, index=False)
    with atomic_write(args.tuned) as temporary:
        temporary.write_text(yaml.safe_dump(chosen.values), encoding="utf-8")


def table(settings: Mapping[str, Any], trials: Sequence[Trial]) -> pd.DataFrame:
    """Return the record of a study with the stage's ``settings``, a row per trial.

    The hyper-parameters of a trial are JSON; ``study`` is the digest of ``settings``.
    """
    study = settings["dataset"], settings["model"], study_digest(settings)
    rows = [
        (
            *study,
            t.number,
            t.state,
            t.value,
            t.epochs,
            t.seconds,
            json.dumps(t.values, sort_keys=True),
        )
        for t in trials
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def study_digest(settings: Mapping[str, Any]) -> str:
    """Return twelve hexadecimal digits that identify the settings of the stage."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def read_trials(path: Path) -> pd.DataFrame:
    """Return the records of studies in a CSV file."""
    return pd.read_csv(path, dtype={"study": str}, float_precision="round_trip")


def chosen_rows(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the row of the chosen trial of each study, as ``best`` chooses it."""
    compared = trials[trials["state"].isin(["complete", "stopped"]) & trials["value"].notna()]
    places = compared.groupby(["dataset", "model"], sort=False)["value"].idxmax()
    return compared.loc[places]


if __name__ == "__main__":
    sys.exit(main())
