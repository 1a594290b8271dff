"""The stage that evaluates a method, from files to files."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from hashgnn.data.interactions import Csr, Split, save_split
from hashgnn.evaluation import evaluate as stage
from tests.evaluation.test_representation import random_method, random_parts


def write_inputs(folder: Path) -> list[str]:
    users, items = random_method(30, 80)
    relevant, seen = random_parts(30, 80)
    nothing = Csr(np.zeros(31, np.int64), np.empty(0, np.int32))
    save_split(folder / "split.npz", Split(seen, nothing, relevant, n_users=30, n_items=80))
    arguments = ["--split", str(folder / "split.npz")]
    for side, representation in (("user", users), ("item", items)):
        for kind, array in representation._asdict().items():
            np.save(folder / f"{side}_{kind}.npy", array)
            arguments += [f"--{side}-{kind}", str(folder / f"{side}_{kind}.npy")]
    settings = {
        "dataset": "tiny",
        "model": "hashgnn",
        "bits": 16,
        "seed": 3,
        "evaluation": {"cutoffs": [5, 10]},
    }
    arguments += ["--settings", json.dumps(settings)]
    outputs = [f"--{name}={folder / file}" for name, file in OUTPUTS.items()]
    return arguments + outputs


OUTPUTS = {"metrics": "metrics.csv", "per-user": "per_user.npz", "checks": "checks.csv"}


def test_stage_writes_means_and_users(tmp_path: Path) -> None:
    assert stage.main(write_inputs(tmp_path)) == 0
    table = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert len(table) == 3 * 3 * 2
    per_user = np.load(tmp_path / "per_user.npz")
    assert per_user["values"].shape == (3, 3, 2, 30)
    assert [*per_user["searches"]] == ["hamming", "hierarchical", "continuous"]
    row = table[0]
    assert [row[c] for c in ("dataset", "model", "bits", "search", "metric", "n", "seed")] == [
        *("tiny", "hashgnn", "16", "hamming", "hr", "5", "3")
    ]
    checks = list(csv.DictReader((tmp_path / "checks.csv").read_text().splitlines()))
    assert {check["kept"] for check in checks} == {"True"}
    assert checks[0]["subject"] == "tiny/hashgnn/bits16/seed3 users"
    assert float(row["value"]) == pytest.approx(np.nanmean(per_user["values"][0, 0, 0]), rel=1e-6)


def test_stage_writes_the_metrics_that_are_asked_for(tmp_path: Path) -> None:
    arguments = write_inputs(tmp_path)
    place = arguments.index("--settings") + 1
    settings = json.loads(arguments[place])
    names = ["hr", "ndcg", "precision", "mrr", "map", "coverage", "novelty", "gini"]
    settings["evaluation"]["metrics"] = names
    arguments[place] = json.dumps(settings)

    assert stage.main(arguments) == 0
    table = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert [row["metric"] for row in table[: 2 * len(names) : 2]] == names
    per_user = np.load(tmp_path / "per_user.npz")
    assert per_user["values"].shape == (3, 5, 2, 30)  # those of lists are no user's
    assert [*per_user["metrics"]] == names[:5]
    checks = list(csv.DictReader((tmp_path / "checks.csv").read_text().splitlines()))
    assert {check["kept"] for check in checks} == {"True"}
    assert max(float(row["value"]) for row in table if row["metric"] == "novelty") > 1


def test_codes_of_another_split_are_refused(tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    arguments = write_inputs(tmp_path)
    np.save(tmp_path / "user_codes.npy", np.zeros((31, 2), np.uint8))
    assert stage.main(arguments) == 2
    assert "user_codes.npy: 31 rows, but the split has 30" in capsys.readouterr().err
    assert not (tmp_path / "metrics.csv").exists()
