"""The table of tuning, of two studies given by hand."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.experiment.tune import COLUMNS
from hashgnn.reporting.tables.tuning import main

Row = tuple[str, float, float, dict[str, Any]]


def study(path: Path, model: str, *rows: Row) -> Path:
    found = [
        ("d", model, "abc", number, state, value, 4, seconds, json.dumps(values))
        for number, (state, value, seconds, values) in enumerate(rows)
    ]
    pd.DataFrame(found, columns=list(COLUMNS)).to_csv(path, index=False)
    return path


def test_a_row_a_study_with_what_it_gained_and_cost(tmp_path: Path) -> None:
    scale = [{"scale": value, "rate": 0.1} for value in (1.0, 0.5, 2.0)]
    paths = [
        study(
            tmp_path / "1.csv",
            "m",
            ("complete", 0.2, 10.0, scale[0]),
            ("pruned", 0.9, 5.0, scale[1]),  # is not compared
            ("stopped", 0.25, 8.4, scale[2]),
        ),
        study(tmp_path / "2.csv", "n", ("complete", 0.1, 1.0, {}), ("complete", 0.1, 1.0, {})),
    ]
    names = {"d": "Data", "m": "Method", "n": "Other"}
    settings = {"names": names, "trials": 3, "seconds": 1200, "studies": []}
    csv, md = tmp_path / "tuning.csv", tmp_path / "tuning.md"
    arguments = [*map(str, paths), "--settings", json.dumps(settings)]

    arguments += ["--csv", str(csv), "--md", str(md), "--html", str(tmp_path / "tuning.html")]

    assert main(arguments) == 0

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
