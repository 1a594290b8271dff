import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.models import graphsage, hashgnn
from hashgnn.training import loop
from hashgnn.training.checkpoint import Checkpoint, State
from hashgnn.training.fit import fit
from hashgnn.training.monitoring import TrainingProgress
from hashgnn.training.steps import Choice
from tests.training.planted import N_USERS, SHARED, planted_split, planted_task, train


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not() -> None:
    first, again, other = (train(hashgnn, planted_task(seed)) for seed in (3, 3, 4))

    assert first.user_vectors.tobytes() == again.user_vectors.tobytes()
    assert first.history.equals(again.history)
    assert first.user_vectors.tobytes() != other.user_vectors.tobytes()


def test_history_follows_the_schedule() -> None:
    guidance = {"start": 1.0, "step": 0.25, "every": 10, "floor": 0.5}

    history = train(hashgnn, guidance=guidance, epochs=4).history

    # 960 training interactions in batches of 64: 15 iterations an epoch, 60 in all.
    assert history.iteration.tolist() == list(range(5, 61, 5))
    assert history.p.tolist() == [1.0, 1.0, 0.75, 0.75, *[0.5] * 8]
    assert history.loss.iloc[-1] < history.loss.iloc[0]
    # Of the 110 items that a user has not seen, 10 are of its own group.
    assert history.auc.iloc[-1] > 0.85


def test_patience_stops_and_keeps_the_best_epoch() -> None:
    fitted = train(graphsage, epochs=100, patience=2, learning_rate=0.2)

    epochs = fitted.history.epoch.max()
    assert epochs < 100
    assert fitted.facts["best_epoch"] <= epochs - 1


def test_an_exploding_loss_stops_with_advice() -> None:
    with pytest.raises(InputError, match=r"with a learning rate of 1e[+]38: lower learning_rate"):
        train(hashgnn, learning_rate=1e38, initial_deviation=1e30)


class Spoiling(Checkpoint):
    """Saves each state, whatever that costs; before the ``spoiled``-th, a weight becomes NaN."""

    spoiled = 20

    def save_if_due(self, state: Callable[[], State]) -> None:
        self.spoiled -= 1
        if self.spoiled == 0:
            state()["weights"]["embedding"][0, 0] = float("nan")  # the model's own memory
        self._cost = 0.0
        super().save_if_due(state)


def test_a_bad_state_never_replaces_the_last_good_checkpoint(tmp_path: Path) -> None:
    checkpoint = Spoiling(tmp_path / "checkpoint.pt", "this", every_seconds=0)

    with pytest.raises(InputError) as caught:
        train(hashgnn, checkpoint=checkpoint)

    assert str(caught.value) == (
        "the weights are not finite at iteration 20, with a learning rate of 0.02: lower "
        "learning_rate or scale in the model's parameters; with other parameters the training "
        "starts from the beginning"
    )
    kept = checkpoint.load()
    assert kept is not None
    assert kept["iteration"] == 19
    assert all(weights.isfinite().all() for weights in kept["weights"].values())


class Ruining(loop.Steps):
    """The step of the last of 15 iterations leaves a weight that is not finite."""

    taken = 0

    def __call__(self, *arguments: Any) -> float:
        loss = super().__call__(*arguments)
        self.taken += 1
        if self.taken == 15:
            self.model.state_dict()["embedding"][0, 0] = float("inf")
        return loss


def test_weights_ruined_by_the_last_step_are_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "Steps", Ruining)

    with pytest.raises(InputError, match="weights are not finite at iteration 15, "):
        train(hashgnn, epochs=1)


def test_without_validation_the_last_epoch_is_kept() -> None:
    split = planted_split()
    nothing = Csr(np.zeros(N_USERS + 1, np.int64), np.zeros(0, np.int32))
    task = replace(planted_task(), split=replace(split, validation=nothing))

    told: list[TrainingProgress] = []
    fitted = fit(hashgnn.METHOD, task, {**SHARED, "epochs": 3}, None, told.append)

    assert fitted.facts["best_epoch"] == 3
    assert np.isnan(fitted.facts["validation_hr"])
    lines = [progress.message for progress in told]
    assert [line for line in lines if "epoch" in line] == ["epoch 1", "epoch 2", "epoch 3"]
    assert any(line.startswith("iteration 5  loss ") for line in lines)
    assert not [line for line in lines if "nan" in line or "auc" in line or "codes" in line]
    assert not any(math.isnan(value) for progress in told for value in progress.values.values())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 0}, "parameters.epochs: expected 1 or more, got 0"),
        ({"batch_size": -1}, "parameters.batch_size: expected 1 or more, got -1"),
        ({"widths": [8, 0]}, "parameters.widths.1: expected 1 or more, got 0"),
        ({"fanouts": []}, r"parameters.fanouts: expected a non-empty list, got \[\]"),
        ({"widths": [8]}, "widths: found 1, but fanouts has 2; expected one of each per layer"),
        ({"learning_rate": math.nan}, "parameters.learning_rate: expected a finite number"),
        ({"embedding_dropout": 1.0}, "parameters.embedding_dropout: expected less than 1"),
        ({"guidance": {"every": 0}}, "parameters.guidance.every: expected 0.001 or more, got 0"),
    ],
)
def test_settings_that_no_training_can_be_made_with(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        train(hashgnn, **wrong)


class InterruptedTrainingError(Exception):
    pass


class Failing(Checkpoint):
    """Saves each iteration's state; the process dies after so many."""

    lives = 0

    def save_if_due(self, state: Callable[[], State]) -> None:
        super().save_if_due(state)
        self.lives -= 1
        if self.lives == 0:
            raise InterruptedTrainingError


# 15 iterations an epoch: within the first, at its end, at a validated end, within the last.
@pytest.mark.parametrize("lives", [1, 14, 15, 44])
def test_an_interrupted_training_ends_as_if_it_had_not_been(tmp_path: Path, lives: int) -> None:
    settings = {"epochs": 3, "guidance": {"every": 10}}
    whole = train(hashgnn, **settings)
    dying = Failing(tmp_path / "checkpoint.pt", "this", every_seconds=0)
    dying.lives = lives

    with pytest.raises(InterruptedTrainingError):
        train(hashgnn, checkpoint=dying, **settings)
    resumed = train(hashgnn, checkpoint=Checkpoint(dying.path, "this"), **settings)

    assert resumed.user_vectors.tobytes() == whole.user_vectors.tobytes()
    assert resumed.item_codes.tobytes() == whole.item_codes.tobytes()
    assert resumed.history.equals(whole.history)
    assert resumed.facts == whole.facts


def test_a_resumed_training_keeps_the_engine_whatever_the_clock_says_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = Failing(tmp_path / "checkpoint.pt", "this", every_seconds=0)
    dying.lives = 20
    said = iter([Choice("full", "faster then"), Choice("sampled", "faster now")])
    monkeypatch.setattr(loop, "choose_engine", lambda *given: next(said))

    with pytest.raises(InterruptedTrainingError):
        train(hashgnn, checkpoint=dying, epochs=2, engine="auto")
    resumed = train(hashgnn, checkpoint=Checkpoint(dying.path, "this"), epochs=2, engine="auto")
    monkeypatch.undo()
    whole = train(hashgnn, epochs=2, engine="full")

    assert resumed.facts["choices"] == ["engine: full (faster then)"]
    assert resumed.user_vectors.tobytes() == whole.user_vectors.tobytes()


def test_the_callback_follows_the_training() -> None:
    seen: list[TrainingProgress] = []

    fitted = fit(hashgnn.METHOD, planted_task(), {**SHARED, "epochs": 2}, callback=seen.append)

    # 15 iterations an epoch, a row of the history each 5.
    assert {progress.iterations for progress in seen} == {30}
    losses = [progress.values["loss"] for progress in seen if "loss" in progress.values]
    assert losses == fitted.history.loss.tolist()
    recalls = [progress for progress in seen if "validation_hr" in progress.values]
    assert [progress.iteration for progress in recalls] == [15, 30]
    best = max(progress.values["validation_hr"] for progress in recalls)
    assert best == fitted.facts["validation_hr"]
