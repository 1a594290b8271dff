"""Popularity: recommend everyone the items with the most training interactions; a sanity check.

    u = 1,  v = number of users who have the item, or the sum of their weights

Vectors have one dimension. Every learned method should do better.
"""

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.models.method import NoParameters, Task, VectorMethod, Vectors


class Parameters(NoParameters):
    """None."""


def vectors(task: Task, parameters: Parameters) -> Vectors:
    """Count the training interactions of each item, or add their weights."""
    split = task.split
    counts = np.bincount(split.train.indices, split.train_weight, split.n_items).astype(np.float32)
    return np.ones((split.n_users, 1), dtype=np.float32), counts[:, None]


def new_users(histories: Csr, items: np.ndarray, parameters: Parameters) -> np.ndarray:
    """Return what every user has, 1."""
    return np.ones((len(histories.indptr) - 1, 1), dtype=np.float32)


METHOD = VectorMethod(Parameters, vectors, new_users=new_users, takes_weights=True)
