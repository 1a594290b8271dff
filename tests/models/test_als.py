import numpy as np
import pytest
import torch

from hashgnn.data.interactions import Csr, Split
from hashgnn.models import als
from hashgnn.models.method import Task
from hashgnn.training.fit import fit
from tests.training.planted import check_vectors, train

N_USERS, N_ITEMS, WIDTH = 30, 20, 4


@pytest.mark.parametrize("weighted", [False, True])
def test_users_solve_their_normal_equations(weighted: bool) -> None:
    # (V' V + V_u' (C_u - I) V_u + lambda I) u = V_u' C_u 1, V_u the rows of the user's items, C_u
    # the diagonal of alpha times the weights of the user's interactions.
    alpha, penalty = 5.0, 0.5
    rng = np.random.default_rng(0)
    known = [np.sort(rng.choice(N_ITEMS, 6, replace=False)) for _ in range(N_USERS)]
    train_part = Csr(np.arange(N_USERS + 1) * 6, np.concatenate(known).astype(np.int32))
    nobody = Csr(np.zeros(N_USERS + 1, np.int64), np.zeros(0, np.int32))
    settings = {"epochs": 100, "alpha": alpha, "regularization": penalty}

    weight = rng.uniform(0.5, 3, len(train_part.indices)) if weighted else None
    split = Split(train_part, nobody, nobody, N_USERS, N_ITEMS, weight)
    task = Task(split, WIDTH, 0, torch.device("cpu"))
    fitted = fit(als.METHOD, task, settings)

    items = fitted.item_vectors.astype(np.float64)
    for user, own in enumerate(known):
        rows = items[own]
        trust = alpha * (weight[6 * user : 6 * user + 6] if weight is not None else np.ones(6))
        left = items.T @ items + rows.T @ np.diag(trust - 1) @ rows + penalty * np.eye(WIDTH)
        solution = np.linalg.solve(left, rows.T @ trust)
        assert fitted.user_vectors[user] == pytest.approx(solution, abs=0.01)


def test_vectors_find_the_planted_groups() -> None:
    check_vectors(als)


def test_dimensions_may_differ_from_bits() -> None:
    assert train(als, dimensions=5).user_vectors.shape[1] == 5
