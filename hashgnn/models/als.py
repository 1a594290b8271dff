"""MF by weighted alternating least squares.

    min sum_ui c_ui (x_ui - <u, v>)^2 + lambda (sum_u |u|^2 + sum_i |v|^2)
    c_ui = alpha w_ui where x_ui = 1, else 1

w_ui is the weight of the interaction, 1 without weights.

Hu, Koren and Volinsky (2008), Collaborative Filtering for Implicit Feedback Datasets, ICDM. The
solver is the conjugate gradient of the library implicit, https://github.com/benfred/implicit.
There are no biases. An epoch solves for all users, then for all items.
"""

from collections.abc import Iterator

import numpy as np
import torch
from implicit.cpu.als import AlternatingLeastSquares
from pydantic import Field
from threadpoolctl import threadpool_limits

from hashgnn.data.interactions import Csr
from hashgnn.graph import interaction_matrix
from hashgnn.models.method import Epoch, EpochMethod, EpochParameters, Task


class Parameters(EpochParameters):
    """Adds the weight of interactions and the penalty."""

    alpha: float = Field(default=10.0, ge=0)
    """Weight of an interaction; that of a non-interaction is 1."""

    regularization: float = Field(default=0.1, ge=0)
    """lambda, the weight of the vectors' squared length."""


def epochs(task: Task, parameters: Parameters) -> Iterator[Epoch]:
    """Factorize the training interactions."""
    split = task.split
    interactions = interaction_matrix(split.train, split.n_items, split.train_weight)
    one_blas_thread = threadpool_limits.wrap(limits=1, user_api="blas")  # it has its own threads
    model = one_blas_thread(AlternatingLeastSquares)(
        factors=parameters.dimensions or task.bits,
        regularization=parameters.regularization,
        alpha=parameters.alpha,
        iterations=1,
        num_threads=torch.get_num_threads(),
        random_state=task.seed,
    )
    for _ in range(parameters.epochs):
        one_blas_thread(model.fit)(interactions, show_progress=False)
        yield Epoch(model.user_factors, model.item_factors)


def new_users(histories: Csr, items: np.ndarray, parameters: Parameters) -> np.ndarray:
    """Solve for the vectors of users who have ``histories``, exactly."""
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=items.shape[1],
            regularization=parameters.regularization,
            alpha=parameters.alpha,
            num_threads=torch.get_num_threads(),
        )
        model.item_factors = items
        matrix = interaction_matrix(histories, len(items))
        solved: np.ndarray = model.recalculate_user(np.arange(matrix.shape[0]), matrix)
    return solved


METHOD = EpochMethod(Parameters, epochs, new_users=new_users, takes_weights=True)
