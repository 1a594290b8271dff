"""Studies of a method whose recall is known, and the stage that runs a study.

The recall is the share of ten users who find what they want.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from pydantic import Field

from hashgnn.config.base import parse
from hashgnn.config.methods import Dimension
from hashgnn.data.interactions import Csr, Split, save_split
from hashgnn.errors import InputError
from hashgnn.experiment import study as stage
from hashgnn.experiment.study import JOURNAL, Limits, Problem, Study, Trial, best
from hashgnn.files import save_array
from hashgnn.models.method import Epoch, EpochMethod, EpochParameters, Task
from hashgnn.stage.record import read_record
from hashgnn.training import train
from hashgnn.training.monitoring import TrainingProgress
from tests.training.planted import BITS, SHARED, planted_task

USERS, ITEMS = 10, 120
NOTHING = Csr(np.zeros(USERS + 1, np.int64), np.zeros(0, np.int32))
FIRST_ITEM = Csr(np.arange(USERS + 1), np.zeros(USERS, np.int32))
EPOCHS = 4


class Parameters(EpochParameters):
    """The share of users who find the first item in the last epoch; fewer do so before."""

    share: float = Field(default=0.5, ge=0, le=1)
    kind: str = "good"
    sizes: tuple[int, ...] = (1,)


class Clock:
    """Seconds that pass by one with each epoch."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.trained: list[tuple[float, int]] = []

    def epochs(self, task: Task, parameters: Parameters) -> Iterator[Epoch]:
        items = -np.arange(ITEMS, dtype=np.float32)[:, None]
        if parameters.kind == "broken":
            raise InputError("it diverged")
        for number in range(1, parameters.epochs + 1):
            self.seconds += 1
            self.trained.append((parameters.share, number))
            found = round(parameters.share * USERS * number / parameters.epochs)
            yield Epoch(
                np.where(np.arange(USERS) < found, 1, -1)[:, None].astype(np.float32), items
            )

    def __call__(self) -> float:
        return self.seconds


def study(
    clock: Clock,
    folder: Path | None = None,
    space: dict[str, Any] | None = None,
    trials: int = 6,
    seconds: float = 10**6,
    stop_at: float = float("inf"),
    validation: Csr = FIRST_ITEM,
    fingerprint: str = "same",
    **defaults: Any,
) -> Study:
    split = Split(NOTHING, validation, NOTHING, USERS, ITEMS)
    task = Task(split, bits=8, seed=0, device=torch.device("cpu"))
    given = {"share": {"low": 0.0, "high": 1.0}} if space is None else space
    parameters = {"epochs": EPOCHS, "share": 0.5, "kind": "good", "sizes": [1], **defaults}
    dimensions = {key: parse(Dimension, block) for key, block in given.items()}
    problem = Problem(EpochMethod(Parameters, clock.epochs), task, parameters, dimensions)
    limits = Limits(trials, seconds, clock, reduction=2, least_epochs=2)

    def callback(progress: TrainingProgress) -> None:
        if clock.seconds >= stop_at:
            raise KeyboardInterrupt

    return Study(problem, limits, fingerprint, folder, callback)


def test_the_defaults_come_first_and_the_best_wins() -> None:
    trials = study(Clock(), trials=12).run()
    chosen = best(trials)

    assert (trials[0].values, trials[0].value) == ({"share": 0.5}, 0.5)
    assert (trials[0].state, trials[0].epochs, trials[0].seconds) == ("complete", EPOCHS, EPOCHS)
    assert [trial.number for trial in trials] == list(range(12))
    assert chosen is not None
    assert chosen.value == max(t.value for t in trials if t.state == "complete") > 0.5


def test_trials_that_are_behind_end_early() -> None:
    trials = study(Clock(), trials=12).run()

    for trial in trials:
        assert trial.epochs == (EPOCHS if trial.state == "complete" else 2)
        at_rung = round(trial.values["share"] * USERS / 2)
        if trial.number and at_rung < 2:  # the default has 0.2 or more there
            assert trial.state == "pruned"
    assert {trial.state for trial in trials} == {"complete", "pruned"}


@pytest.mark.parametrize("seconds", [3, 4, 5, 9])
def test_the_limit_of_seconds_ends_a_study_after_an_epoch(seconds: int) -> None:
    clock = Clock()
    trials = study(clock, trials=99, seconds=seconds).run()

    assert clock.seconds == sum(trial.seconds for trial in trials) == seconds
    if seconds < EPOCHS:
        assert [trial.state for trial in trials] == ["stopped"]
        assert best(trials) == trials[0]


def test_a_setting_that_was_tried_is_not_trained_again() -> None:
    clock = Clock()
    trials = study(clock, space={"kind": {"choices": ["good", "fine"]}}, trials=8).run()

    assert len(trials) == 8
    assert clock.seconds == sum(trial.seconds for trial in trials) <= 2 * EPOCHS


def test_settings_are_drawn_from_their_ranges_and_the_default() -> None:
    space = {
        "share": {"low": 0.001, "high": 0.3, "log": True},
        "epochs": {"low": 2, "high": 5},
        "sizes": {"choices": [[2, 2], [3]]},
    }
    trials = study(Clock(), space=space, trials=20).run()

    assert trials[0].values == {"share": 0.5, "epochs": EPOCHS, "sizes": [1]}
    drawn = [trial.values for trial in trials[1:]]
    assert all(0.001 <= values["share"] <= 0.5 for values in drawn)
    assert all(float(f"{values['share']:.3g}") == values["share"] for values in drawn)
    assert {values["epochs"] for values in drawn} <= {2, 3, 4, 5}
    assert {tuple(values["sizes"]) for values in drawn} == {(1,), (2, 2), (3,)}


def settings_of(trials: list[Trial]) -> list[tuple[Any, ...]]:
    return [(trial.state, trial.value, trial.epochs, trial.values) for trial in trials]


@pytest.mark.parametrize("stop_at", [1, 3, 4, 5, 7, 11])
def test_an_interrupted_study_resumes_with_the_same_trials(tmp_path: Path, stop_at: int) -> None:
    whole = Clock()
    expected = study(whole, trials=8).run()
    clock = Clock()

    with pytest.raises(KeyboardInterrupt):
        study(clock, tmp_path, trials=8, stop_at=stop_at).run()
    resumed = study(clock, tmp_path, trials=8).run()

    assert settings_of(resumed) == settings_of(expected)
    assert clock.seconds <= whole.seconds + EPOCHS  # at most the running trial is lost
    assert settings_of(study(clock, tmp_path, trials=8).run()) == settings_of(expected)
    assert clock.seconds <= whole.seconds + EPOCHS  # nothing is left to do


def test_more_trials_continue_a_study(tmp_path: Path) -> None:
    clock = Clock()
    few = study(clock, tmp_path, trials=3).run()
    more = study(clock, tmp_path, trials=5).run()

    assert settings_of(more)[:3] == settings_of(few)
    assert clock.seconds == sum(trial.seconds for trial in more)


@pytest.mark.parametrize("damage", ["part of a line", "lock"])
def test_what_a_killed_process_leaves_does_no_harm(tmp_path: Path, damage: str) -> None:
    clock = Clock()
    expected = study(clock, tmp_path, trials=3).run()
    journal = tmp_path / JOURNAL
    if damage == "lock":
        (tmp_path / f"{JOURNAL}.lock").symlink_to(journal)
    else:
        with journal.open("a") as file:
            file.write('{"op_code": 8, "wor')

    assert settings_of(study(clock, tmp_path, trials=4).run())[:3] == settings_of(expected)


def test_a_journal_of_other_data_is_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    study(clock, tmp_path, trials=2).run()
    before = clock.seconds
    study(clock, tmp_path, trials=2, fingerprint="other").run()

    assert clock.seconds >= before + EPOCHS
    assert (
        "of other settings, code, device or data; the study starts anew" in capsys.readouterr().err
    )


def test_a_setting_that_fails_is_passed_over_but_not_the_default() -> None:
    space = {"kind": {"choices": ["good", "broken"]}}
    trials = study(Clock(), space=space, trials=6).run()

    assert {trial.state for trial in trials} == {"complete", "failed"}
    assert best(trials) == trials[0]
    with pytest.raises(InputError, match="it diverged"):
        study(Clock(), space=space, kind="broken").run()


def test_what_cannot_be_tuned_is_said() -> None:
    with pytest.raises(InputError, match="validation part, which is empty"):
        study(Clock(), validation=NOTHING)
    with pytest.raises(InputError, match=r"guidance\.floor is to be tuned, but has no value"):
        study(Clock(), space={"guidance.floor": {"low": 0.0, "high": 1.0}})


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
    assert stage.main(command(folder, SETTINGS)) == 0
    trials = pd.read_csv(folder / "study/trials.csv")
    chosen = stage.chosen_rows(trials).iloc[0]
    tuned = folder / "study/tuned.yaml"
    run = [*arguments(folder, SETTINGS), "--output", f"{folder}/run", "--tuned", f"{tuned}"]
    assert train.main([*run, "--provenance", f"{folder}/run/train.provenance.json"]) == 0

    assert trials.columns.tolist() == list(stage.COLUMNS)
    assert set(trials.study) == {stage.study_digest(SETTINGS)}
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
    assert stage.main(command(folder, {**SETTINGS, "seconds": 0})) == 2
    assert "no epoch ended within tuning.seconds, 0: raise it" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_twice_a_study_ends_with_the_same_trials(folder: Path) -> None:
    settings = {**SETTINGS, "trials": 6, "parameters": {**SHARED, "epochs": 60}}
    assert stage.main(command(folder, settings, "whole")) == 0
    started = [sys.executable, "-m", "hashgnn.experiment.study", *command(folder, settings)]
    for _ in range(2):
        with subprocess.Popen(started) as process:
            time.sleep(12)
            process.send_signal(signal.SIGKILL)
    subprocess.run(started, check=True)

    columns = ["trial", "state", "value", "epochs", "settings"]
    one, other = (pd.read_csv(folder / name / "trials.csv") for name in ("whole", "study"))
    assert other[columns].equals(one[columns])
