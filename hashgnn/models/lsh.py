"""LSH: random hyperplanes through trained vectors.

    h = sign(R v),  R[k, j] ~ N(0, 1)

Charikar (2002), Similarity Estimation Techniques from Rounding Algorithms, STOC: two vectors differ
in a bit with probability angle / pi. v are the vectors of another method, GraphSage in the paper,
and stay the continuous vectors here. Nothing is trained.
"""

import numpy as np

from hashgnn.models.graph_hasher import pack
from hashgnn.models.method import Codes, HashMethod, NoParameters, Task, Vectors


class Parameters(NoParameters):
    """None."""


def codes(vectors: Vectors, task: Task, parameters: Parameters) -> Codes:
    """Return the codes of users and items by hyperplanes drawn from the task's seed."""
    users, items = vectors
    planes = hyperplanes(task.bits, users.shape[1], task.seed)
    return project(users, planes), project(items, planes)


def project(vectors: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """Return the sides of ``planes`` [bits, d] that ``vectors`` [rows, d] lie on: packed codes."""
    return pack(vectors @ planes.T)


def hyperplanes(bits: int, width: int, seed: int) -> np.ndarray:
    """Draw the normals of random hyperplanes: float32 [bits, width]."""
    return np.random.default_rng([seed, 0x15A]).standard_normal((bits, width), dtype=np.float32)


METHOD = HashMethod(Parameters, codes)
