"""LSH: random hyperplanes through trained vectors.

    h = sign(R v),  R[k, j] ~ N(0, 1)

Charikar (2002), Similarity Estimation Techniques from Rounding Algorithms, STOC: two vectors differ
in a bit with probability angle / pi. v are the vectors of another method, GraphSage in the paper,
which are also the continuous ones here; nothing is trained.
"""

import numpy as np

from hashgnn.config.settings import parse
from hashgnn.models.hashing import pack
from hashgnn.models.settings import NoSettings
from hashgnn.models.task import Fitted, Task
from hashgnn.training.history import History

SETTINGS = NoSettings
HASHES_PRETRAINED = True


def fit(task: Task) -> Fitted:
    """Hash the vectors of ``task.pretrained`` by hyperplanes drawn from its seed."""
    parse(SETTINGS, task.parameters, "parameters")
    users, items = task.vectors_to_hash()
    planes = hyperplanes(task.bits, users.shape[1], task.seed)
    codes = project(users, planes), project(items, planes)
    return Fitted(users, items, *codes, task.bits, History().frame(), {})


def project(vectors: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """Sides of the ``planes`` [bits, d] that ``vectors`` [rows, d] lie on, as packed codes."""
    return pack(vectors @ planes.T)


def hyperplanes(bits: int, width: int, seed: int) -> np.ndarray:
    """Normals of random hyperplanes: float32 [bits, width]."""
    return np.random.default_rng([seed, 0x15A]).standard_normal((bits, width), dtype=np.float32)
