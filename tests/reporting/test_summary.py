import json
from pathlib import Path

import pandas as pd
import pytest
from docutils.core import publish_parts

from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting.summary import best_methods, describe, main

SETTINGS = {
    "datasets": [["d", "Data_*"], ["e", "Empty"]],
    "models": [["m", "M"], ["own", "Own"], ["v", "Vectors"]],
    "continuous": ["v"],
    "generated": ["d"],
}
RATES = {
    ("m", "hamming"): 0.2,
    ("own", "hamming"): 0.25,
    ("v", "hamming"): 0.9,  # by signs: it has no codes of its own
    ("m", "hierarchical"): 0.4,
    ("own", "hierarchical"): 0.35,
    ("v", "continuous"): 0.5,
}


@pytest.fixture
def metrics() -> pd.DataFrame:
    rows = [
        ("d", model, 32, search, metric, n, seed, value + n / 1000)
        for (model, search), value in RATES.items()
        for metric in ("hr", "ndcg")
        for n in (20, 50, 100)
        for seed in (0, 1)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_what_was_run(metrics: pd.DataFrame) -> None:
    assert describe(metrics, SETTINGS) == (
        "6 trainings of 3 methods (codes of 32 bits, 2 seeds each) on Data\\_\\* and Empty. "
        "Generated data say nothing about real users: Data\\_\\*."
    )


def test_the_best_method_of_each_search(metrics: pd.DataFrame) -> None:
    assert list(best_methods(metrics, SETTINGS)) == [
        "Best by HR\\@50 (recall), mean over seeds:",
        "- **Data\\_\\***: Hamming search Own 0.300 (32 bits), hierarchical search M 0.450 "
        "(32 bits) and continuous search Vectors 0.550 (32 bits)",
        "- **Empty**: -",
    ]


def test_the_report_can_show_it(metrics: pd.DataFrame, tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.csv" for name in ("metrics", "claims", "checks")}
    metrics.to_csv(files["metrics"], index=False)
    pd.DataFrame({"verdict": ["holds", "not run", "holds"]}).to_csv(files["claims"], index=False)
    pd.DataFrame({"kept": [True, True, False]}).to_csv(files["checks"], index=False)
    arguments = [str(files["metrics"]), "--claims", str(files["claims"])]
    arguments += ["--checks", str(files["checks"]), "--settings", json.dumps(SETTINGS)]

    assert main([*arguments, "--output", str(tmp_path / "summary.rst")]) == 0

    text = (tmp_path / "summary.rst").read_text(encoding="utf-8")
    options = {"report_level": 1, "halt_level": 1}  # no warning
    html = publish_parts(text, writer="html", settings_overrides=options)["html_body"]
    assert "<strong>Data_*</strong>: Hamming search Own" in html
    assert "Of 3 claims of the paper, 2 hold and 1 was not run." in html
    assert "Consistency checks kept: 2 of 3." in html
