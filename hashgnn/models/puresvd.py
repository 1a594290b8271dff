"""PureSVD: the truncated singular value decomposition of the interactions; a sanity check.

    X ~ U S V',  users U S, items V

Cremonesi, Koren and Turrin (2010), Performance of Recommender Algorithms on Top-N Recommendation
Tasks, RecSys. SciPy computes it.
"""

import numpy as np
from pydantic import Field
from scipy.sparse.linalg import svds

from hashgnn.config.base import Section
from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.graph import interaction_matrix
from hashgnn.models.method import Task, VectorMethod, Vectors


class Parameters(Section):
    """The number of dimensions."""

    dimensions: int | None = Field(default=None, ge=1, le=1024)
    """Dimensions of the vectors; by default as many as a code has bits."""


def vectors(task: Task, parameters: Parameters) -> Vectors:
    """Decompose the matrix of the training interactions."""
    interactions = interaction_matrix(task.split.train, task.split.n_items)
    width, most = parameters.dimensions or task.bits, min(interactions.shape) - 1
    if width > most:
        raise InputError(
            f"PureSVD: expected at most {most} dimensions for these data, got {width}; "
            "set dimensions in the model's parameters to fewer"
        )
    users, strengths, items = svds(interactions, k=width, random_state=task.seed)
    # Copies: of a single dimension SciPy gives views that torch does not take.
    return (users * strengths).copy(), items.T.copy()


def new_users(histories: Csr, items: np.ndarray, parameters: Parameters) -> np.ndarray:
    """Project users who have ``histories``: U S = X V."""
    projected: np.ndarray = interaction_matrix(histories, len(items)) @ items
    return projected


METHOD = VectorMethod(Parameters, vectors, new_users=new_users)
