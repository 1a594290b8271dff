import math
from collections.abc import Iterable, Iterator

import numpy as np
import pytest
import torch

from hashgnn.data.interactions import Csr, Split
from hashgnn.errors import InputError
from hashgnn.models.method import Epoch, EpochMethod, EpochParameters, Task
from hashgnn.training import fit
from hashgnn.training.fit import Fitted

N_SHOWN = 120
NOTHING = Csr(np.array([0, 0]), np.zeros(0, np.int32))
ITEMS = -np.arange(N_SHOWN, dtype=np.float32)[:, None]


def task(validation: Csr) -> Task:
    """One user, who wants item 0; or nothing is known of."""
    return Task(
        Split(NOTHING, validation, NOTHING, 1, N_SHOWN), bits=8, seed=0, device=torch.device("cpu")
    )


WANTS_FIRST = task(Csr(np.array([0, 1]), np.zeros(1, np.int32)))


def fit_epochs(given: Iterable[Epoch], task: Task, **parameters: int) -> Fitted:
    method = EpochMethod(EpochParameters, lambda task, parameters: iter(given))
    return fit.fit(method, task, parameters)


def course(*directions: int) -> Iterator[Epoch]:
    """Item 0 comes first (1) or last (-1); in one array, as trainers keep it."""
    user = np.empty((1, 1), dtype=np.float32)
    for number, direction in enumerate(directions):
        user[:] = direction
        yield Epoch(user, ITEMS, loss=float(number))


def test_the_best_epoch_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    fitted = fit_epochs(course(-1, 1, -1), WANTS_FIRST, epochs=3)

    assert fitted.user_vectors.tolist() == [[1]]
    assert fitted.user_codes.tolist() == [[1]]
    assert fitted.facts == {"best_epoch": 2, "validation_hr": 1}
    assert fitted.history.epoch.tolist() == [1, 2, 3]
    assert fitted.history.loss.tolist() == [0, 1, 2]
    assert fitted.history.auc.tolist() == [0, 1, 0]
    assert capsys.readouterr().err.splitlines() == [
        f"epoch {number}  validation recall@50 {recall}"
        for number, recall in ((1, "0.0000"), (2, "1.0000"), (3, "0.0000"))
    ]


@pytest.mark.parametrize(("patience", "epochs"), [(0, 5), (1, 2), (2, 3)])
def test_patience_ends_the_course(patience: int, epochs: int) -> None:
    fitted = fit_epochs(course(1, -1, -1, -1, -1), WANTS_FIRST, epochs=5, patience=patience)

    assert len(fitted.history) == epochs
    assert fitted.facts["best_epoch"] == 1


@pytest.mark.parametrize(("vector", "loss"), [(math.nan, 0.1), (math.inf, 0.1), (1.0, math.inf)])
def test_vectors_that_are_not_finite_are_no_result(vector: float, loss: float) -> None:
    users = np.full((1, 1), vector, np.float32)
    epochs = [Epoch(np.ones((1, 1), np.float32), ITEMS, 0.1), Epoch(users, ITEMS, loss)]

    with pytest.raises(InputError, match="not finite after epoch 2: lower learning_rate"):
        fit_epochs(epochs, WANTS_FIRST, epochs=2)


def test_vectors_longer_than_a_code_may_be_are_refused() -> None:
    epoch = Epoch(np.ones((1, 1025), np.float32), np.ones((N_SHOWN, 1025), np.float32))

    with pytest.raises(InputError, match="vectors of 1,025 dimensions make codes of more than 1,0"):
        fit_epochs([epoch], WANTS_FIRST, epochs=1)


def test_without_validation_the_last_vectors_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    fitted = fit_epochs(course(1, -1), task(NOTHING), epochs=2)

    assert fitted.user_vectors.tolist() == [[-1]]
    assert fitted.facts["best_epoch"] == 2
    assert capsys.readouterr().err.splitlines() == ["epoch 1", "epoch 2"]
