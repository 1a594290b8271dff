import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.models import (
    als,
    bine,
    graphsage,
    hash_gumb,
    hash_ste,
    hashgnn,
    hashgnn_plus,
    hashgnn_sp,
    hashnet,
    lightgcn,
    lsh,
    mf,
    pte,
    puresvd,
)
from hashgnn.models.task import Fitted
from hashgnn.training import fit
from hashgnn.training.checkpoint import Checkpoint, State
from hashgnn.training.engine import Choice
from tests.training.planted import BITS, GROUPS, N_ITEMS, N_USERS, planted_split, planted_task


def own_group_gap(similarity: np.ndarray) -> float:
    """How much more similar [users, items] users are to their own group's items."""
    own = (np.arange(N_USERS) % GROUPS)[:, None] == (np.arange(N_ITEMS) // 20)[None]
    return float(similarity[own].mean() - similarity[~own].mean())


def agreeing_bits(fitted: Fitted) -> np.ndarray:
    """[users, items]"""
    users, items = (
        np.unpackbits(codes, axis=1, count=BITS, bitorder="little")
        for codes in (fitted.user_codes, fitted.item_codes)
    )
    return (users[:, None] == items[None]).sum(2)


@pytest.mark.parametrize("method", [hash_gumb, hash_ste, hashgnn, hashgnn_plus, hashnet])
def test_codes_find_the_planted_groups(method: ModuleType) -> None:
    fitted = method.fit(planted_task())

    assert fitted.user_codes.shape == (N_USERS, 2)
    assert own_group_gap(agreeing_bits(fitted)) > 2.5  # of 12 bits


# Each group has its own direction, in four dimensions.
DIRECTIONS = np.random.default_rng(5).standard_normal((GROUPS, 4)).astype(np.float32)
PRETRAINED = DIRECTIONS[np.arange(N_USERS) % GROUPS], DIRECTIONS[np.arange(N_ITEMS) // 20]


@pytest.mark.parametrize("method", [hashgnn_sp, lsh])
def test_codes_of_given_vectors_find_their_groups(method: ModuleType) -> None:
    task = planted_task() if method is hashgnn_sp else planted_task(shared=False)
    fitted = method.fit(replace(task, pretrained=PRETRAINED))

    assert fitted.user_codes.shape == (N_USERS, 2)
    assert own_group_gap(agreeing_bits(fitted)) > 2.5  # of 12 bits


def test_only_a_hash_layer_is_trained_on_given_vectors() -> None:
    rng = np.random.default_rng(0)
    given = tuple(rng.standard_normal((n, 4)).astype(np.float32) for n in (N_USERS, N_ITEMS))

    fitted = hashgnn_sp.fit(replace(planted_task(epochs=3), pretrained=given))

    vectors = (fitted.user_vectors, fitted.item_vectors)
    for before, after in zip(given, vectors, strict=True):
        inputs = np.hstack([before, np.ones((len(before), 1))])  # artanh(z) = W v + b
        residuals = np.linalg.lstsq(inputs, np.arctanh(after.astype(np.float64)))[1]
        assert residuals == pytest.approx(np.zeros(BITS), abs=1e-6)


def test_lsh_keeps_the_vectors_it_was_given() -> None:
    fitted = lsh.fit(replace(planted_task(shared=False), pretrained=PRETRAINED))

    assert fitted.user_vectors is PRETRAINED[0]
    assert fitted.item_vectors is PRETRAINED[1]
    assert list(fitted.history) == list(graphsage.fit(planted_task(epochs=1)).history)


@pytest.mark.parametrize("method", [hashgnn_sp, lsh])
def test_a_method_that_hashes_anothers_vectors_asks_for_them(method: ModuleType) -> None:
    with pytest.raises(InputError, match="name it with the key pretrained"):
        method.fit(planted_task(shared=method is hashgnn_sp))


def test_a_method_that_needs_negatives_asks_for_them() -> None:
    with pytest.raises(InputError, match="leave shared_training out"):
        graphsage.fit(planted_task(shared=False))


@pytest.mark.parametrize("granularity", ["row", "pair"])
def test_codes_find_the_planted_groups_whatever_a_draw_covers(granularity: str) -> None:
    guidance = {"granularity": granularity, "every": 15, "floor": 0.5}

    fitted = hashgnn.fit(planted_task(guidance=guidance))

    assert own_group_gap(fitted.user_vectors @ fitted.item_vectors.T) > 4


@pytest.mark.parametrize(
    "encoder", [{"encoder": "convolution", "convolution": "GATConv"}, {"encoder": "lightgcn"}]
)
def test_codes_find_the_planted_groups_with_other_encoders(encoder: dict[str, str]) -> None:
    encoder = {**encoder, "encoder": f"hashgnn.models.encoders.{encoder['encoder']}"}

    fitted = hashgnn.fit(planted_task(**encoder))

    assert own_group_gap(agreeing_bits(fitted)) > 2.5  # of 12 bits


def test_vectors_find_the_planted_groups() -> None:
    fitted = graphsage.fit(planted_task())

    assert fitted.item_vectors.shape == (N_ITEMS, BITS)
    assert np.abs(fitted.item_vectors).max() <= 1
    assert own_group_gap(fitted.user_vectors @ fitted.item_vectors.T) > 4


# Methods without bits, each with its own hyper-parameters and whether it takes the shared ones.
CONTINUOUS: list[tuple[ModuleType, bool, dict[str, object]]] = [
    (als, False, {}),
    (bine, False, {"alpha": 1.0, "beta": 1.0, "learning_rate": 0.1, "epochs": 20}),
    (lightgcn, True, {"scale": 1}),
    (mf, True, {"scale": 1, "epochs": 20}),
    (pte, False, {"passes": 50, "learning_rate": 0.1}),
    (puresvd, False, {}),
]


@pytest.mark.parametrize(("method", "shared", "parameters"), CONTINUOUS)
def test_continuous_methods_find_the_planted_groups(
    method: ModuleType, shared: bool, parameters: dict[str, object]
) -> None:
    first, again = (method.fit(planted_task(shared=shared, **parameters)) for _ in range(2))

    scores = first.user_vectors @ first.item_vectors.T
    assert own_group_gap(scores) > 0.5 * scores.std()  # 2.7 at most: six groups of one size
    assert first.user_codes.shape == (N_USERS, (first.user_vectors.shape[1] + 7) // 8)
    assert first.item_vectors.tobytes() == again.item_vectors.tobytes()
    assert 0.65 < first.facts["validation_hr"] <= 1  # 50 of 112 items: by chance 0.45


@pytest.mark.parametrize("method", [als, bine, pte, puresvd])
def test_dimensions_may_differ_from_bits(method: ModuleType) -> None:
    fitted = method.fit(planted_task(shared=False, dimensions=5))

    assert fitted.user_vectors.shape[1] == (6 if method is pte else 5)  # the noise is one more


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not() -> None:
    first, again, other = (hashgnn.fit(planted_task(seed)) for seed in (3, 3, 4))

    assert first.user_vectors.tobytes() == again.user_vectors.tobytes()
    assert first.history.equals(again.history)
    assert first.user_vectors.tobytes() != other.user_vectors.tobytes()


def test_batches_of_whole_users_and_users_known_by_their_items() -> None:
    settings = {"batch_by": "users", "user_embeddings": False, "learning_rate_end": 0.1}

    fitted = hashgnn_plus.fit(planted_task(**settings))

    assert own_group_gap(agreeing_bits(fitted)) > 2.5  # of 12 bits


def test_history_follows_the_schedule() -> None:
    guidance = {"start": 1.0, "step": 0.25, "every": 10, "floor": 0.5}

    history = hashgnn.fit(planted_task(guidance=guidance, epochs=4)).history

    # 960 training interactions in batches of 64: 15 iterations an epoch, 60 in all.
    assert history.iteration.tolist() == list(range(5, 61, 5))
    assert history.p.tolist() == [1.0, 1.0, 0.75, 0.75, *[0.5] * 8]
    assert history.loss.iloc[-1] < history.loss.iloc[0]
    # Of the 110 items that a user has not seen, 10 are of its own group.
    assert history.auc.iloc[-1] > 0.85


def test_patience_stops_and_keeps_the_best_epoch() -> None:
    fitted = graphsage.fit(planted_task(epochs=100, patience=2, learning_rate=0.2))

    epochs = fitted.history.epoch.max()
    assert epochs < 100
    assert fitted.facts["best_epoch"] <= epochs - 1


def test_an_exploding_loss_stops_with_advice() -> None:
    with pytest.raises(InputError, match=r"with a learning rate of 1e[+]38: lower learning_rate"):
        hashgnn.fit(planted_task(learning_rate=1e38, initial_deviation=1e30))


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
        hashgnn.fit(planted_task(checkpoint=checkpoint))

    assert str(caught.value) == (
        "the weights are no longer finite at iteration 20, with a learning rate of 0.02: lower "
        "learning_rate or scale in the model's parameters; with other parameters the training "
        "begins anew"
    )
    kept = checkpoint.load()
    assert kept is not None
    assert kept["iteration"] == 19
    assert all(weights.isfinite().all() for weights in kept["weights"].values())


class Ruining(fit.Steps):
    """The step of the last of 15 iterations leaves a weight that is not finite."""

    taken = 0

    def __call__(self, *arguments: Any) -> float:
        loss = super().__call__(*arguments)
        self.taken += 1
        if self.taken == 15:
            self.model.state_dict()["embedding"][0, 0] = float("inf")
        return loss


def test_weights_ruined_by_the_last_step_are_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "Steps", Ruining)

    with pytest.raises(InputError, match="no longer finite at iteration 15, "):
        hashgnn.fit(planted_task(epochs=1))


def test_without_validation_the_last_epoch_is_kept() -> None:
    split = planted_split()
    nothing = Csr(np.zeros(N_USERS + 1, np.int64), np.zeros(0, np.int32))
    task = replace(planted_task(epochs=3), split=replace(split, validation=nothing))

    fitted = hashgnn.fit(task)

    assert fitted.facts["best_epoch"] == 3
    assert np.isnan(fitted.facts["validation_hr"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 0}, "parameters.epochs: expected 1 or more, got 0"),
        ({"batch_size": -1}, "parameters.batch_size: expected 1 or more, got -1"),
        ({"widths": [8, 0]}, r"parameters.widths: expected 1 or more, got \(8, 0\)"),
        ({"fanouts": []}, r"parameters.fanouts: expected 1 or more, got \(\)"),
        ({"widths": [8]}, "widths: 1 of them, but 2 fanouts; give one of each a layer"),
        ({"learning_rate": math.nan}, "parameters.learning_rate: expected a finite number"),
        ({"embedding_dropout": 1.0}, "parameters.embedding_dropout: expected less than 1"),
        ({"guidance": {"every": 0}}, "parameters.guidance.every: expected 0.001 or more, got 0"),
    ],
)
def test_settings_that_no_training_can_be_made_with(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        hashgnn.fit(planted_task(**wrong))


def test_wrong_hyper_parameters_are_named() -> None:
    with pytest.raises(InputError, match=r"parameters.margin: no such key"):
        graphsage.fit(planted_task(margin=0.2))


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
    whole = hashgnn.fit(planted_task(**settings))
    dying = Failing(tmp_path / "checkpoint.pt", "this", every_seconds=0)
    dying.lives = lives

    with pytest.raises(InterruptedTrainingError):
        hashgnn.fit(planted_task(checkpoint=dying, **settings))
    resumed = hashgnn.fit(planted_task(checkpoint=Checkpoint(dying.path, "this"), **settings))

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
    monkeypatch.setattr(fit, "choose_engine", lambda *given: next(said))

    with pytest.raises(InterruptedTrainingError):
        hashgnn.fit(planted_task(checkpoint=dying, epochs=2, engine="auto"))
    resumed = hashgnn.fit(
        planted_task(checkpoint=Checkpoint(dying.path, "this"), epochs=2, engine="auto")
    )
    monkeypatch.undo()
    whole = hashgnn.fit(planted_task(epochs=2, engine="full"))

    assert resumed.facts["choices"] == ["engine: full (faster then)"]
    assert resumed.user_vectors.tobytes() == whole.user_vectors.tobytes()
