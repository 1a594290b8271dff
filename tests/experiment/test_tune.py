"""The stage of a study, and the training that takes what it chose."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from hashgnn.data.interactions import save_split
from hashgnn.errors import InputError
from hashgnn.experiment import tune
from hashgnn.files import save_array
from hashgnn.stage.record import read_record
from hashgnn.training import train
from tests.training.planted import BITS, SHARED, planted_task

SETTINGS: dict[str, Any] = {
    **{"dataset": "d", "model": "hash_ste", "method": "hashgnn.models.hash_ste"},
    **{"bits": BITS, "seed": 0, "negatives": 3, "validation_cutoff": 5, "candidates": 50},
    "parameters": {**SHARED, "epochs": 4},
    "space": {"learning_rate": {"low": 0.001, "high": 0.1, "log": True}},
    **{"trials": 3, "seconds": 600, "reduction": 2, "least_epochs": 2},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    task = planted_task()
    save_split(tmp_path / "split.npz", task.split)
    save_array(tmp_path / "triplets.npy", task.negatives)
    return tmp_path


def arguments(folder: Path, settings: dict[str, Any]) -> list[str]:
    return [
        *("--split", f"{folder}/split.npz", "--triplets", f"{folder}/triplets.npy"),
        *("--device", "cpu", "--settings", json.dumps(settings)),
    ]


def command(folder: Path, settings: dict[str, Any], name: str = "study") -> list[str]:
    made = folder / name
    return [
        *arguments(folder, settings),
        *("--folder", f"{made}", "--trials", f"{made}/trials.csv"),
        *("--tuned", f"{made}/tuned.yaml", "--provenance", f"{made}/tune.provenance.json"),
    ]


def test_a_training_takes_what_the_study_chose(folder: Path) -> None:
    assert tune.main(command(folder, SETTINGS)) == 0
    trials = pd.read_csv(folder / "study/trials.csv")
    chosen = tune.chosen_rows(trials).iloc[0]
    tuned = folder / "study/tuned.yaml"
    run = [*arguments(folder, SETTINGS), "--output", f"{folder}/run", "--tuned", f"{tuned}"]
    assert train.main([*run, "--provenance", f"{folder}/run/train.provenance.json"]) == 0

    assert trials.columns.tolist() == list(tune.COLUMNS)
    assert set(trials.study) == {tune.study_digest(SETTINGS)}
    assert trials.seconds.gt(0).all()
    assert json.loads(trials.settings[0]) == {"learning_rate": SHARED["learning_rate"]}
    record = read_record(folder / "run/train.provenance.json")
    assert yaml.safe_load(tuned.read_text()) == json.loads(chosen.settings)
    assert record["settings"]["parameters"] == {
        **SETTINGS["parameters"],
        **json.loads(chosen.settings),
    }
    assert record["validation_hr"] == pytest.approx(chosen.value, abs=1e-12)


def test_a_variant_keeps_what_it_sets(tmp_path: Path) -> None:
    tuned = tmp_path / "tuned.yaml"
    tuned.write_text("{scale: 2.0, guidance.floor: 0.1}")
    own = {"parameters": {"scale": 1.0, "guidance": {"floor": 0.5, "start": 1.0}}}
    guidance = {"floor": 0.1, "start": 1.0}

    assert train.with_tuned(own, tuned)["parameters"] == {"scale": 2.0, "guidance": guidance}
    assert train.with_tuned({**own, "varied": ["scale"]}, tuned) == {
        "parameters": {"scale": 1.0, "guidance": guidance}
    }
    assert train.with_tuned({**own, "varied": []}, None) == own
    tuned.write_text("[]")
    with pytest.raises(InputError, match="expected hyper-parameters by key"):
        train.with_tuned(own, tuned)


def test_a_limit_that_no_epoch_keeps_is_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune.main(command(folder, {**SETTINGS, "seconds": 0})) == 2
    assert "no epoch ended within tuning.seconds, 0: raise it" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_twice_a_study_ends_with_the_same_trials(folder: Path) -> None:
    settings = {**SETTINGS, "trials": 6, "parameters": {**SHARED, "epochs": 60}}
    assert tune.main(command(folder, settings, "whole")) == 0
    started = [sys.executable, "-m", "hashgnn.experiment.tune", *command(folder, settings)]
    for _ in range(2):
        with subprocess.Popen(started) as process:
            time.sleep(12)
            process.send_signal(signal.SIGKILL)
    subprocess.run(started, check=True)

    columns = ["trial", "state", "value", "epochs", "settings"]
    one, other = (pd.read_csv(folder / name / "trials.csv") for name in ("whole", "study"))
    assert other[columns].equals(one[columns])
