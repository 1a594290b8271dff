"""Make the missing studies of tuning, keep their records, and ship what they chose.

    python workflow/tune.py [PART...] [-- OPTION...]

A PART is a data set, a model, or DATASET/MODEL; by default all studies of the config are made. The
options are Snakemake's. The records are kept in docs/reproduction/tuning.csv: a study that is there
and has the settings of the config is not made again. config/tuned.yaml, a config file with the
chosen hyper-parameters, is made from the records. After an interruption, the same command keeps
the studies that are finished, and resumes the others.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from hashgnn.config.methods import with_values
from hashgnn.config.model import resolve
from hashgnn.experiment.job_settings import JobSettings
from hashgnn.experiment.plan import STUDY
from hashgnn.experiment.runs import studies
from hashgnn.experiment.study import COLUMNS, chosen_rows, read_trials, study_digest
from hashgnn.files import atomic_write

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "config/config.yaml"
RECORDS = ROOT / "docs/reproduction/tuning.csv"
SHIPPED = ROOT / "config/tuned.yaml"

_HEADER = "# Written by `make tune` from docs/reproduction/tuning.csv; do not edit.\n"

Part = tuple[str, str]  # a data set and a model


def main(argv: Sequence[str] | None = None) -> int:
    """Run the studies that are missing and return Snakemake's exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    names, options = arguments[:end], arguments[end + 1 :]
    if "--help" in names or "-h" in names:
        print(__doc__)
        return 0
    config = resolve(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
    digests = {part: digest(config, part) for part in studies(config)}
    try:
        wanted = select(list(digests), names)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    missing = [part for part in wanted if not is_kept(read_records(), part, digests[part])]
    status = 0
    try:
        if missing:
            targets = [str(record(part)) for part in missing]
            command = [sys.executable, "-m", "snakemake", "--keep-going", *options]
            status = subprocess.run([*command, "--", *targets], cwd=ROOT, check=False).returncode
    finally:
        keep([part for part in missing if is_made(part, digests[part])], list(digests))
    return status


def select(parts: Sequence[Part], names: Sequence[str]) -> list[Part]:
    """Return the parts that ``names`` stand for, all without names; ``ValueError`` for others."""
    known = {name for d, m in parts for name in (d, m, f"{d}/{m}")}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(
            f"{unknown[0]}: no study of the config; expected a data set of tuning.datasets, a "
            "model with a key tuning, or DATASET/MODEL"
        )
    return [(d, m) for d, m in parts if not names or {d, m, f"{d}/{m}"} & set(names)]


def digest(config: dict[str, Any], part: Part) -> str:
    """Return the digest of the settings of a study."""
    dataset, model = part
    text = JobSettings(config, ROOT).tune({"dataset": dataset, "model": model})
    return study_digest(json.loads(text))


def record(part: Part) -> Path:
    """Return the file of the trials of a study, relative to the project."""
    dataset, model = part
    return Path(STUDY.format(dataset=dataset, model=model), "trials.csv")


def is_made(part: Part, expected: str) -> bool:
    """Return whether a finished study with the settings of the config is among the results."""
    path = ROOT / record(part)
    return path.exists() and set(read_trials(path)["study"]) == {expected}


def is_kept(records: pd.DataFrame, part: Part, expected: str) -> bool:
    """Return whether the record of a study with the settings of the config is kept."""
    dataset, model = part
    own = records[(records.dataset == dataset) & (records.model == model)]
    return set(own["study"]) == {expected}


def read_records() -> pd.DataFrame:
    """Return the kept trials of all studies."""
    return read_trials(RECORDS) if RECORDS.exists() else pd.DataFrame(columns=list(COLUMNS))


def keep(made: Sequence[Part], order: Sequence[Part]) -> None:
    """Add the studies that were ``made`` to the records, and write the chosen settings."""
    kept = read_records()
    for dataset, model in made:
        kept = kept[(kept.dataset != dataset) | (kept.model != model)]
    frames = [kept, *(read_trials(ROOT / record(part)) for part in made)]
    records = pd.concat([frame for frame in frames if len(frame)] or [kept], ignore_index=True)
    parts = zip(records.dataset, records.model, strict=True)
    places = [order.index(part) if part in order else len(order) for part in parts]
    records = records.iloc[np.argsort(places, kind="stable")]
    with atomic_write(RECORDS) as temporary:
        records.to_csv(temporary, index=False)
    with atomic_write(SHIPPED) as temporary:
        temporary.write_text(shipped(records), encoding="utf-8")


def shipped(records: pd.DataFrame) -> str:
    """Return the config file with the settings that the studies in ``records`` chose."""
    models: dict[str, dict[str, Any]] = {}
    for _, chosen in chosen_rows(records).iterrows():
        per_dataset = models.setdefault(chosen.model, {"per_dataset": {}})["per_dataset"]
        per_dataset[chosen.dataset] = with_values({}, json.loads(chosen.settings))
    return _HEADER + yaml.safe_dump({"models": models}, sort_keys=False, default_flow_style=None)


if __name__ == "__main__":
    sys.exit(main())
