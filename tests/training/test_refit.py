"""The refit: what it trains on, for how long, and that it resumes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from hashgnn.data.interactions import Csr, Split, join_parts
from hashgnn.data.negatives import DrawnNegatives, write_negatives
from hashgnn.models import hashgnn, lsh
from hashgnn.models.graph_hasher import GraphHasher
from hashgnn.models.method import (
    Epoch,
    EpochMethod,
    EpochParameters,
    GraphMethod,
    NoParameters,
    Task,
    VectorMethod,
    Vectors,
)
from hashgnn.training import loop
from hashgnn.training.checkpoint import Checkpoint, State
from hashgnn.training.fit import Fitted, Repeat, fit
from hashgnn.training.monitoring import TrainingProgress
from hashgnn.training.steps import Batches
from tests.training.planted import N_ITEMS, N_USERS, SHARED, planted_split, planted_task

EPOCHS = 3


def pairs(part: Csr) -> set[tuple[int, int]]:
    users = np.repeat(np.arange(len(part.indptr) - 1), np.diff(part.indptr))
    return set(zip(users.tolist(), part.indices.tolist(), strict=True))


def test_parts_are_joined_in_order() -> None:
    train = Csr(np.array([0, 2, 2, 3]), np.array([1, 4, 0], np.int32))
    validation = Csr(np.array([0, 1, 2, 2]), np.array([3, 2], np.int32))
    test = Csr(np.array([0, 1, 1, 1]), np.array([0], np.int32))

    joined = join_parts(Split(train, validation, test, 3, 5))

    assert joined.train.indptr.tolist() == [0, 3, 4, 5]
    assert joined.train.indices.tolist() == [1, 3, 4, 2, 0]
    assert joined.train.indices.dtype == np.int32
    for nothing in (joined.validation, joined.test):
        assert nothing.indptr.tolist() == [0, 0, 0, 0]
        assert len(nothing.indices) == 0


def test_drawn_negatives_are_the_written_ones(tmp_path: Path) -> None:
    split = planted_split()
    write_negatives(tmp_path / "negatives.npy", split, 3, 2, 7)
    written, drawn = np.load(tmp_path / "negatives.npy"), DrawnNegatives(split, 3, 2, 7)
    rows = np.random.default_rng(0).permutation(written.shape[1])[:50]

    assert drawn.shape == written.shape
    assert len(drawn) == 2
    for number in range(2):
        assert np.array_equal(drawn[number, rows], written[number, rows])


class Recorded:
    """Methods that find item by item order best after the second of three epochs."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.yielded: list[int] = []

    def epochs(self, task: Task, parameters: EpochParameters) -> Iterator[Epoch]:
        self.tasks.append(task)
        self.yielded.append(0)
        held_out = planted_split().validation
        for number in range(parameters.epochs):
            self.yielded[-1] += 1
            items = np.eye(N_ITEMS, dtype=np.float32)
            users = np.zeros((N_USERS, N_ITEMS), np.float32)
            for user, item in pairs(held_out):
                users[user, item] = 1 if number == 1 else -1
            users[0, 0] += number
            yield Epoch(users, items)

    def vectors(self, task: Task, parameters: NoParameters) -> Vectors:
        self.tasks.append(task)
        return np.ones((N_USERS, 2), np.float32), np.ones((N_ITEMS, 2), np.float32)


def assert_seen(tasks: list[Task]) -> None:
    """The first training had the split; the refit has training and validation, nothing else."""
    split = planted_split()
    first, again = (task.split for task in tasks)
    assert pairs(first.train) == pairs(split.train)
    assert pairs(again.train) == pairs(split.train) | pairs(split.validation)
    assert not pairs(again.train) & pairs(split.test)
    assert not pairs(again.validation)
    assert not pairs(again.test)


def test_a_method_of_epochs_is_trained_again_as_long_as_was_best() -> None:
    method, seen = Recorded(), list[TrainingProgress]()

    declared = EpochMethod(EpochParameters, method.epochs)
    fitted = fit(declared, planted_task(), {"epochs": 3}, callback=seen.append, refit=True)

    assert_seen(method.tasks)
    assert method.yielded == [3, 2]
    assert fitted.user_vectors[0, 0] == 1  # of the refit's second epoch
    assert fitted.facts["best_epoch"] == fitted.facts["refit_epochs"] == 2
    assert fitted.facts["validation_hr"] > 0
    assert fitted.facts["refit_interactions"] == N_USERS * 10
    assert fitted.history.epoch.tolist() == [1, 2, 3]
    assert [line.message.startswith("refit: ") for line in seen] == [False] * 3 + [True] * 2
    assert [line.iterations for line in seen] == [3] * 3 + [2] * 2


def test_vectors_are_computed_again() -> None:
    method = Recorded()

    fit(VectorMethod(NoParameters, method.vectors), planted_task(), {}, refit=True)

    assert_seen(method.tasks)


def test_batches_of_a_graph_method(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Csr, object]] = []

    class Watched(Batches):
        def __init__(self, train: Csr, negatives: object, *others: object) -> None:
            made.append((train, negatives))
            super().__init__(train, negatives, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "Batches", lambda *args, by_user: Watched(*args, by_user))
    graphs: list[set[tuple[int, int]]] = []

    def build(graph: object, *others: object) -> GraphHasher:
        links = np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr))  # type: ignore[attr-defined]
        linked = zip(links.tolist(), graph.indices.tolist(), strict=True)  # type: ignore[attr-defined]
        graphs.append({(u, i - N_USERS) for u, i in linked if u < N_USERS})
        return hashgnn.METHOD.model(graph, *others)

    method: GraphMethod = GraphMethod(hashgnn.Parameters, build)  # type: ignore[type-arg]
    task = planted_task()
    fitted = fit(method, task, {**SHARED, "epochs": EPOCHS}, refit=True)

    split = planted_split()
    whole = pairs(split.train) | pairs(split.validation)
    assert [pairs(train) for train, _ in made] == graphs == [pairs(split.train), whole]
    negatives = made[1][1]
    assert isinstance(negatives, DrawnNegatives)
    assert task.negatives is not None
    rounds, _, per_interaction = task.negatives.shape
    assert negatives.shape == (rounds, len(whole), per_interaction)
    users = np.repeat(np.arange(N_USERS), np.diff(made[1][0].indptr))
    for number in range(rounds):
        drawn = negatives[number, np.arange(len(whole))]
        assert not whole & set(
            zip(np.repeat(users, per_interaction).tolist(), drawn.ravel().tolist(), strict=True)
        )
    assert fitted.facts["refit_epochs"] == fitted.facts["best_epoch"]


def test_the_refit_is_a_training_on_all_that_ends_after_the_best_epoch() -> None:
    """With the rates of all epochs: not those of a training with fewer."""
    whole = replace(planted_task(), split=join_parts(planted_split()))
    whole = loop.with_own_negatives(whole, planted_task().negatives)  # type: ignore[arg-type]
    settings = {**SHARED, "epochs": EPOCHS, "learning_rate_end": 0.1}
    parsed = hashgnn.Parameters(**settings)

    refitted = fit(hashgnn.METHOD, planted_task(), settings, refit=True)
    best = refitted.facts["best_epoch"]
    alone = loop.fit_graph(
        hashgnn.METHOD, whole, parsed, None, lambda progress: None, Repeat(best, None)
    )

    assert refitted.user_vectors.tobytes() == alone.user_vectors.tobytes()
    assert refitted.item_codes.tobytes() == alone.item_codes.tobytes()


def test_without_validation_there_is_no_refit() -> None:
    nothing = Csr(np.zeros(N_USERS + 1, np.int64), np.zeros(0, np.int32))
    method = Recorded()
    task = replace(planted_task(), split=replace(planted_split(), validation=nothing))

    fitted = fit(EpochMethod(EpochParameters, method.epochs), task, {"epochs": 3}, refit=True)

    assert len(method.tasks) == 1
    assert "refit_epochs" not in fitted.facts


def test_codes_of_given_vectors_have_nothing_to_refit() -> None:
    fitted = fit(lsh.METHOD, planted_task(), {}, refit=True)

    assert "refit_epochs" not in fitted.facts


def test_a_user_who_would_have_all_items_keeps_its_training_part() -> None:
    """Of three items for each of two users, no negative would be left for the first one."""
    train = Csr(np.array([0, 2, 3]), np.array([0, 1, 0], np.int32))
    validation = Csr(np.array([0, 1, 2]), np.array([2, 1], np.int32))
    nothing = Csr(np.zeros(3, np.int64), np.zeros(0, np.int32))

    joined = join_parts(Split(train, validation, nothing, 2, 3))

    assert pairs(joined.train) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    drawn = DrawnNegatives(joined, 5, 1, 0)[0, np.arange(4)]
    assert drawn.tolist() == [[2] * 5] * 4


class KilledError(Exception):
    pass


class Dying(Checkpoint):
    """Saves each iteration's state; the process dies after so many, counted over both phases."""

    lives: ClassVar = [0]

    def save_if_due(self, state: Callable[[], State]) -> None:
        super().save_if_due(state)
        self._saved -= 1e6
        self.lives[0] -= 1
        if self.lives[0] == 0:
            raise KilledError


def refit(checkpoint: Checkpoint | None = None) -> Fitted:
    settings = {**SHARED, "epochs": EPOCHS}
    return fit(hashgnn.METHOD, planted_task(), settings, checkpoint, lambda progress: None, True)


# 15 iterations an epoch before, 19 after: within the first training, at its end, within the refit.
@pytest.mark.parametrize("lives", [20, 45, 46, 60])
def test_a_killed_refit_resumes_to_the_same_bytes(tmp_path: Path, lives: int) -> None:
    whole = refit()
    dying = Dying(tmp_path / "checkpoint.pt", "this", every_seconds=0)
    dying.lives[0] = lives

    with pytest.raises(KilledError):
        refit(dying)
    kept = Checkpoint(dying.path, "this")
    assert (kept.load_chosen() is not None) == (lives > 45)
    resumed = refit(kept)

    assert resumed.user_vectors.tobytes() == whole.user_vectors.tobytes()
    assert resumed.item_codes.tobytes() == whole.item_codes.tobytes()
    assert resumed.history.equals(whole.history)
    assert resumed.facts == whole.facts
