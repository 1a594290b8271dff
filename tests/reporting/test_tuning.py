"""The figure of a study, and the table of two, from trials given by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hashgnn.experiment.study import COLUMNS
from hashgnn.reporting.tuning import course, importance, study, tuning

Row = tuple[str, float, float, dict[str, Any]]


def record(*rows: Row, model: str = "m") -> pd.DataFrame:
    found = [
        ("d", model, "abc", number, state, value, 4, seconds, json.dumps(values))
        for number, (state, value, seconds, values) in enumerate(rows)
    ]
    return pd.DataFrame(found, columns=list(COLUMNS))


def test_the_best_so_far_is_that_of_trials_that_are_compared() -> None:
    trials = record(
        ("complete", 0.2, 10, {}),
        ("pruned", 0.9, 2, {}),
        ("failed", float("nan"), 1, {}),
        ("complete", 0.3, 4, {}),
        ("stopped", 0.25, 3, {}),
    )
    shown = course(trials)

    assert shown.ended.tolist() == [10, 12, 13, 17, 20]
    assert shown.best.tolist() == [0.2, 0.2, 0.2, 0.3, 0.3]


def many(count: int) -> pd.DataFrame:
    """The value follows ``a`` alone; ``same`` never differs, and ``kind`` is text."""
    rng = np.random.default_rng(0)
    rows = [
        ("complete", a, 1.0, {"a": a, "b": b, "same": 3, "kind": "xy"[number % 2]})
        for number, (a, b) in enumerate(rng.uniform(0.1, 1, (count, 2)).tolist())
    ]
    return record(*rows)


def test_what_decides_is_important() -> None:
    shares = importance(many(60))

    assert set(shares.index) == {"a", "b", "kind"}
    assert shares.sum() == pytest.approx(1)
    assert shares["a"] > 0.6


def test_too_few_trials_say_nothing() -> None:
    assert importance(many(3)).empty
    assert importance(record(*[("complete", 0.5, 1.0, {"a": 1.0})] * 9)).empty


@pytest.mark.parametrize("count", [1, 20])
def test_a_study_is_drawn(tmp_path: Path, count: int) -> None:
    many(count).to_csv(tmp_path / "trials.csv", index=False)
    settings = {"names": ["Data", "Method"], "looks": {"m": ["#112233", "o"]}}
    outputs = {kind: tmp_path / f"study.{kind}" for kind in ("pdf", "svg", "csv")}
    options = [part for kind, path in outputs.items() for part in (f"--{kind}", str(path))]

    assert study([f"{tmp_path}/trials.csv", "--settings", json.dumps(settings), *options]) == 0

    assert ">Method on Data<" in outputs["svg"].read_text()
    assert len(pd.read_csv(outputs["csv"])) == count


def test_a_row_a_study_with_what_it_gained_and_cost(tmp_path: Path) -> None:
    scale = [{"scale": value, "rate": 0.1} for value in (1.0, 0.5, 2.0)]
    studies = [
        record(
            ("complete", 0.2, 10.0, scale[0]),
            ("pruned", 0.9, 5.0, scale[1]),  # is not compared
            ("stopped", 0.25, 8.4, scale[2]),
        ),
        record(("complete", 0.1, 1.0, {}), ("complete", 0.1, 1.0, {}), model="n"),
    ]
    paths = [tmp_path / f"{number}.csv" for number in range(2)]
    for path, trials in zip(paths, studies, strict=True):
        trials.to_csv(path, index=False)
    names = {"d": "Data", "m": "Method", "n": "Other"}
    settings = {"names": names, "trials": 3, "seconds": 1200, "studies": []}
    csv, md = tmp_path / "tuning.csv", tmp_path / "tuning.md"
    arguments = [*map(str, paths), "--settings", json.dumps(settings)]

    arguments += ["--csv", str(csv), "--md", str(md), "--html", str(tmp_path / "tuning.html")]

    assert tuning(arguments) == 0

    assert len(pd.read_csv(csv)) == 5
    lines = [line for line in md.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert cells[2][0] == "**Data**"
    assert cells[3:] == [
        [
            *("Method", "0.2000", "0.2500", "+0.0500", "scale = 2.0"),
            *("3 of 3", "23 of 1,200"),
        ],
        [
            *("Other", "0.1000", "0.1000", "+0.0000", "default"),
            *("2 of 3", "2 of 1,200"),
        ],
    ]
