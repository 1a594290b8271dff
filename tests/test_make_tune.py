"""Which studies ``make tune`` makes, what it keeps of them, and what it ships."""

import json
import runpy
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from hashgnn.config.model import resolve
from hashgnn.experiment.hyper_parameters import check_hyper_parameters
from hashgnn.experiment.runs import studies
from hashgnn.experiment.study import COLUMNS
from tests.e2e.workflow.project import merged

ROOT = Path(__file__).parents[1]
TUNE = runpy.run_path(str(ROOT / "workflow/tune.py"), run_name="tune")
RECORDS: pd.DataFrame = TUNE["read_records"]()
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())


def test_the_shipped_settings_are_those_of_the_records() -> None:
    assert (ROOT / "config/tuned.yaml").read_text() == TUNE["shipped"](RECORDS)


def test_the_shipped_settings_are_a_config() -> None:
    shipped = yaml.safe_load((ROOT / "config/tuned.yaml").read_text())
    config = resolve(merged(CONFIG, shipped))

    check_hyper_parameters(config)
    assert set(zip(RECORDS.dataset, RECORDS.model, strict=True)) <= set(studies(config))


def test_every_record_begins_with_the_default_and_keeps_the_limits() -> None:
    tuning = CONFIG["tuning"]

    for _, trials in RECORDS.groupby(["dataset", "model"]):
        assert trials.trial.tolist() == list(range(len(trials)))
        assert len(trials) <= tuning["trials"]
        assert trials.seconds.sum() <= 1.05 * tuning["seconds"]
        assert len(trials) == tuning["trials"] or trials.seconds.sum() >= tuning["seconds"]


PARTS = [("a", "m"), ("a", "n"), ("b", "m"), ("b", "n")]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], PARTS),
        (["a"], PARTS[:2]),
        (["n"], [PARTS[1], PARTS[3]]),
        (["b/m"], [PARTS[2]]),
        (["a", "b/m"], PARTS[:3]),
    ],
)
def test_parts_are_named_by_data_set_or_model_or_both(names: list[str], expected: Any) -> None:
    assert TUNE["select"](PARTS, names) == expected


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert TUNE["main"](["movielenz"]) == 2
    assert "movielenz: no study of the config; expected a data set" in capsys.readouterr().err


def record(
    part: tuple[str, str], study: str, *values: tuple[float, dict[str, Any]]
) -> pd.DataFrame:
    rows = [
        (*part, study, number, "complete", value, 4, 1.5, json.dumps(settings))
        for number, (value, settings) in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    scope = TUNE["keep"].__globals__
    (tmp_path / "docs/reproduction").mkdir(parents=True)
    (tmp_path / "config").mkdir()
    monkeypatch.setitem(scope, "ROOT", tmp_path)
    monkeypatch.setitem(scope, "RECORDS", tmp_path / "docs/reproduction/tuning.csv")
    monkeypatch.setitem(scope, "SHIPPED", tmp_path / "config/tuned.yaml")
    return tmp_path


def made(project: Path, part: tuple[str, str], *rest: Any) -> None:
    path = project / TUNE["record"](part)
    path.parent.mkdir(parents=True, exist_ok=True)
    record(part, *rest).to_csv(path, index=False)


def test_finished_studies_are_kept_in_the_order_of_the_config(project: Path) -> None:
    made(project, ("b", "m"), "1", (0.1, {"scale": 1.0}), (0.3, {"scale": 2.0, "x.y": [1, 2]}))
    TUNE["keep"]([("b", "m")], PARTS)
    made(project, ("a", "n"), "2", (0.5, {"epochs": 7}), (0.4, {"epochs": 3}))
    TUNE["keep"]([("a", "n")], PARTS)

    records = TUNE["read_records"]()
    assert list(zip(records.dataset, records.model, records.trial, strict=True)) == [
        *(("a", "n", 0), ("a", "n", 1)),
        *(("b", "m", 0), ("b", "m", 1)),
    ]
    assert TUNE["is_kept"](records, ("b", "m"), "1")
    assert not TUNE["is_kept"](records, ("b", "m"), "2")  # of other settings
    assert not TUNE["is_kept"](records, ("a", "m"), "1")
    assert yaml.safe_load((project / "config/tuned.yaml").read_text()) == {
        "models": {
            "n": {"per_dataset": {"a": {"epochs": 7}}},
            "m": {"per_dataset": {"b": {"scale": 2.0, "x": {"y": [1, 2]}}}},
        }
    }


def test_a_study_made_anew_replaces_its_record(project: Path) -> None:
    made(project, ("a", "m"), "1", (0.1, {"scale": 1.0}), (0.2, {"scale": 0.5}))
    TUNE["keep"]([("a", "m")], PARTS)
    made(project, ("a", "m"), "2", (0.4, {"scale": 3.0}))

    assert TUNE["is_made"](("a", "m"), "2")
    assert not TUNE["is_made"](("a", "m"), "1")
    assert not TUNE["is_made"](("b", "m"), "1")
    TUNE["keep"]([("a", "m")], PARTS)
    assert TUNE["read_records"]().settings.tolist() == ['{"scale": 3.0}']
