import json
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting.tables.tuning import main


def validation(path: Path, hamming: float, hierarchical: float, continuous: float) -> Path:
    rates = {"hamming": hamming, "hierarchical": hierarchical, "continuous": continuous}
    rows = [("d", "m", 8, search, "hr", n, 0, v) for search, v in rates.items() for n in (20, 50)]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(path, index=False)
    return path


def trial(method: str, scale: float, configured: bool) -> dict[str, Any]:
    values = {"scale": scale}
    return {"dataset": "d", "method": method, "values": values, "configured": configured}


def test_all_trials_are_kept_and_an_outdone_setting_is_named(tmp_path: Path, capsys: Any) -> None:
    trials = [trial("m", 1.0, True), trial("m", 0.5, False)]
    trials += [trial("c", 1.0, True), trial("c", 0.5, False)]
    paths = [
        validation(tmp_path / "1.csv", 0.1, 0.2, 0.9),  # 0.15
        validation(tmp_path / "2.csv", 0.2, 0.3, 0.1),  # 0.25
        validation(tmp_path / "3.csv", 0.1, 0.1, 0.9),  # 0.9: has no codes of its own
        validation(tmp_path / "4.csv", 0.5, 0.5, 0.8),  # 0.8
    ]
    names = {"d": "Data", "m": "Method", "c": "Continuous"}
    settings = {"trials": trials, "continuous": ["c"], "names": names}
    csv, md = tmp_path / "tuning.csv", tmp_path / "tuning.md"
    arguments = [*map(str, paths), "--settings", json.dumps(settings), "--csv", str(csv)]
    arguments += ["--md", str(md), "--html", str(tmp_path / "page.html")]

    assert main(arguments) == 0

    tried = pd.read_csv(csv)
    assert tried["score"].round(6).tolist() == [0.15, 0.25, 0.9, 0.8]
    assert tried["place"].tolist() == [2, 1, 1, 2]
    assert capsys.readouterr().out == (
        "warning: models.m on d: the config's scale = 1.0 reached 0.1500 on validation, "
        "scale = 0.5 0.2500\n"
    )
    rows = [line for line in md.read_text().splitlines() if line.startswith("| ")]
    assert len(rows) == 7  # titles, the rule, the data set, the trials
    assert rows[2].startswith("| **Data**")
    assert "**0.9000**" in rows[3]
