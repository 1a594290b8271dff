"""The state that an interrupted training resumes from, and tuning within a time limit."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hashgnn import HashGNN, InputError
from hashgnn.recommender import fitting
from hashgnn.recommender.adapter import adapt
from hashgnn.recommender.defaults import method_defaults, seconds_of
from hashgnn.recommender.fitting import _checkpoint, summary
from tests.helpers import run_hashgnn

SETTINGS = {"method": "hashgnn.models.mf", "parameters": {}}


@pytest.mark.parametrize("field", ["user", "item", "user_key", "item_key"])
def test_a_state_belongs_to_its_numbers_and_ids(field: str, tmp_path: Path) -> None:
    """Other ids in the same order have the same numbers, but another split."""
    data = adapt((["a", "b"], ["x", "y"]))
    flipped = {field: np.flip(getattr(data.interactions, field))}
    other = data._replace(interactions=dataclasses.replace(data.interactions, **flipped))

    first, again, changed = (
        _checkpoint(tmp_path / "state", SETTINGS, "cpu", one).fingerprint
        for one in (data, data, other)
    )

    assert first == again != changed


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("90s", 90), ("10m", 600), ("1.5h", 5400), (" 20 ", 20), (30, 30), (0.5, 0.5), (".5m", 30)],
)
def test_durations(duration: Any, seconds: float) -> None:
    assert seconds_of(duration) == seconds


@pytest.mark.parametrize("duration", ["", "m", "10 m", "10d", "-5s", "0", 0, "1h30m", "inf"])
def test_what_is_no_duration_is_refused(duration: Any) -> None:
    with pytest.raises(InputError, match="tune: expected a duration such as 90s, 10m or 1h, got "):
        seconds_of(duration)


def test_what_is_given_is_not_tuned() -> None:
    given = {"learning_rate": 0.5, "guidance": {"floor": 0.4}}
    every = method_defaults("hashgnn", {}, 1000).space
    left = method_defaults("hashgnn", given, 1000).space

    assert set(every) - set(left) == {"learning_rate", "guidance.floor"}
    assert method_defaults("popularity", {}, 1000).space == {}


def few_trials(monkeypatch: pytest.MonkeyPatch, trials: int) -> None:
    monkeypatch.setattr(fitting, "_TRIALS", trials)


def test_the_chosen_setting_is_trained_and_never_worse_on_validation(
    planted: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few_trials(monkeypatch, 6)
    table = planted.head(1500)
    plain = HashGNN(method="als", refit=False).fit(table).model_.record
    model = HashGNN(method="als", refit=False, tune="1h").fit(table, verbose=True)
    record = model.model_.record
    facts = record["tuning"]

    assert facts["trials"] == 6
    assert facts["default"] == plain["validation_hr"]
    assert record["validation_hr"] == facts["chosen"] >= facts["default"]
    changed = {key: record["settings"]["parameters"][key] for key in facts["changed"]}
    assert changed == facts["changed"]
    printed = capsys.readouterr().err
    assert "trial 6: epoch" in printed
    assert summary(facts, 50) in printed


def test_too_short_a_time_keeps_the_defaults(planted: pd.DataFrame) -> None:
    record = HashGNN(method="als", tune="0.000001s").fit(planted.head(500)).model_.record

    assert record["tuning"]["changed"] == {}
    assert record["tuning"]["trials"] == 1
    defaults = method_defaults("als", {}, 500)
    assert record["settings"]["parameters"] == defaults.parameters


def test_a_method_without_a_search_space_is_refused(planted: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="tune: this method has no hyper-parameters"):
        HashGNN(method="popularity", tune="1s").fit(planted.head(500))


def test_the_command_ends_with_what_was_gained(
    planted: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_trials(monkeypatch, 2)
    planted.head(500).to_csv(tmp_path / "table.csv", index=False)
    model = tmp_path / "model"
    arguments = ["train", tmp_path / "table.csv", "--output", model, "--method=als", "--tune=1h"]
    ran = run_hashgnn(*arguments)

    assert ran.exit_code == 0, ran.output
    assert "tuned with 2 trials in " in ran.stdout.splitlines()[-1]
    assert not (model / "study").exists()
    assert "tuning" in HashGNN.load(model).model_.record
    refused = run_hashgnn(*arguments[:-1], "--tune=soon", "--overwrite")
    assert refused.exit_code != 0
    assert "tune: expected a duration such as 90s, 10m or 1h, got 'soon'" in refused.output
