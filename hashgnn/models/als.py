"""MF by alternating least squares, weighted: the other classic of matrix factorization.

    min sum_ui c_ui (x_ui - <u, v>)^2 + lambda (sum_u |u|^2 + sum_i |v|^2)
    c_ui = alpha where x_ui = 1, else 1

Hu, Koren and Volinsky (2008), Collaborative Filtering for Implicit Feedback Datasets, ICDM. The
solver is that of the library implicit, https://github.com/benfred/implicit, by conjugate
gradients. It has no biases. Every epoch solves for all users, then for all items.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from hashgnn.config.settings import parse, require
from hashgnn.graph.bipartite import interaction_matrix
from hashgnn.models.task import Fitted, Task
from hashgnn.training.epochs import Epoch, EpochSettings, fit_epochs


@dataclass(frozen=True)
class AlsSettings(EpochSettings):
    """Adds alpha, the weight of an interaction beside 1 of a non-interaction, and lambda."""

    alpha: float = 10.0
    regularization: float = 0.1

    def __post_init__(self) -> None:
        """``InputError`` for what no training can be made with."""
        super().__post_init__()
        require(self, alpha=0, regularization=0)


SETTINGS = AlsSettings


def fit(task: Task) -> Fitted:
    """Factorize the training interactions of ``task``."""
    settings = parse(SETTINGS, task.parameters, "parameters")
    return fit_epochs(_epochs(task, settings), task, settings)


def _epochs(task: Task, settings: AlsSettings) -> Iterator[Epoch]:
    interactions = interaction_matrix(task.split.train, task.split.n_items)
    one_blas_thread = threadpool_limits.wrap(limits=1, user_api="blas")  # it has its own threads
    model = one_blas_thread(AlternatingLeastSquares)(
        factors=settings.dimensions or task.bits,
        regularization=settings.regularization,
        alpha=settings.alpha,
        iterations=1,
        num_threads=torch.get_num_threads(),
        random_state=task.seed,
    )
    for _ in range(settings.epochs):
        one_blas_thread(model.fit)(interactions, show_progress=False)
        yield Epoch(model.user_factors, model.item_factors)
