"""The stage that evaluates a method, from files to files, and checks what a training gave."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hashgnn.data.interactions import Csr, Split, save_split
from hashgnn.evaluation import evaluate as stage
from hashgnn.evaluation.evaluate import check_codes, check_lists, check_metrics, check_vectors
from hashgnn.evaluation.statistics import COLUMNS
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


def broken(checks: Any) -> list[str]:
    return [check.rule for check in checks if not check.kept]


def metrics(values: dict[int, float], metric: str = "hr") -> pd.DataFrame:
    rows = [("d", "m", 12, "hamming", metric, n, 0, value) for n, value in values.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_padding_bits_must_be_zero() -> None:
    codes = np.array([[255, 0b1111], [0, 0]], np.uint8)

    assert broken(check_codes("s", codes, 2, 12)) == []
    assert broken(check_codes("s", codes, 2, 11)) == ["padding bits of codes are zero"]
    assert broken(check_codes("s", codes[:, :1], 2, 8)) == []  # no padding at all
    assert broken(check_codes("s", codes, 3, 12)) == [
        "codes have a row each and a bit for each of K"
    ]


def test_vectors_must_be_finite() -> None:
    vectors = np.ones((3, 2), np.float32)
    assert broken(check_vectors("s", vectors, 3)) == []

    vectors[1, 1] = np.nan
    assert broken(check_vectors("s", vectors, 3)) == ["vectors are finite"]


SEEN = Csr(np.array([0, 2, 3]), np.array([0, 1, 2], np.int32))  # user 0: 0, 1; user 1: 2


@pytest.mark.parametrize(
    ("lists", "rules"),
    [
        ([[2, 3, -1], [0, 1, 3]], []),
        ([[1, 3, 2], [0, 1, 3]], ["no training or validation item is recommended"]),
        ([[2, 3, -1], [0, 0, 3]], ["no item is recommended twice to a user"]),
        ([[2, -1, -1], [0, 1, 3]], ["every user with candidates has a full list"]),
    ],
)
def test_lists(lists: list[list[int]], rules: list[str]) -> None:
    assert broken(check_lists("s", np.array(lists, np.int32), SEEN, 4, candidates=4)) == rules


def test_few_candidates_make_short_lists() -> None:
    assert broken(check_lists("s", np.array([[2], [0]], np.int32), SEEN, 4, candidates=1)) == []


def test_metrics_lie_within_bounds_and_hit_rates_grow() -> None:
    assert broken(check_metrics("s", metrics({20: 0.1, 10: 0.1}))) == []
    assert broken(check_metrics("s", metrics({10: 0.1, 20: 1.1}))) == [
        "metrics lie between 0 and 1"
    ]
    nothing = metrics({10: float("nan")})
    assert "metrics lie between 0 and 1" in broken(check_metrics("s", nothing))
    falling = {10: 0.2, 20: 0.1}
    assert broken(check_metrics("s", metrics(falling))) == ["hit rates do not fall as lists grow"]
    assert broken(check_metrics("s", metrics(falling, metric="ndcg"))) == []
