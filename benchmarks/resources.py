"""Gather what stages took, from the records of finished runs.

``python -m benchmarks.resources FOLDER...``, each a results/ of the workflow. Writes resources.csv,
to whose rows a test holds the formulas of hashgnn/experiment: the greatest peak and time of each
stage on each data set with the same settings.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.experiment.resources import Sizes, prepared
from hashgnn.files import atomic_write

STAGES = {
    "hashgnn.data.prepare": "prepare",
    "hashgnn.data.split": "split",
    "hashgnn.data.negatives": "triplets",
    "hashgnn.training.train": "train",
    "hashgnn.evaluation.evaluate": "evaluate",
    "hashgnn.evaluation.time_searches": "timing",
}
MEASURED = ["peak_mb", "cpu_seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/resources.csv"))
    args = parser.parse_args()
    found = pd.DataFrame([row for folder in args.folders for row in rows_of(folder)])
    known = [column for column in found if column not in MEASURED]
    table = found.groupby(known, dropna=False)[MEASURED].max().reset_index()
    with atomic_write(args.output) as temporary:
        table.to_csv(temporary, index=False)


def rows_of(results: Path) -> Iterator[dict[str, Any]]:
    """A row a record: stage, data set, its sizes, settings, and what it took."""
    for path in sorted(results.rglob("*.provenance.json")):
        record = json.loads(path.read_text())
        stage = STAGES.get(record["command"][2])
        folder = results / path.relative_to(results).parts[0]
        whole = stage in ("prepare", "split")
        data = folder / ("interactions.npz" if whole else "split.npz")
        if stage is None or not data.exists():
            continue
        sizes: Sizes = prepared(data)
        yield {
            "stage": stage,
            "dataset": folder.name,
            **sizes._asdict(),
            "settings": json.dumps(_of_cost(stage, record["settings"]), sort_keys=True),
            "peak_mb": record["peak_memory_mb"],
            "cpu_seconds": round(record["cpu_seconds"]),
        }


def _of_cost(stage: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that the cost hangs on."""
    keys = {"train": ("method", "parameters", "bits"), "triplets": ("per_interaction", "rounds")}
    return {key: settings[key] for key in keys.get(stage, ("bits",)) if key in settings}


if __name__ == "__main__":
    main()
