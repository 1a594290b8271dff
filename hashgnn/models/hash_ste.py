"""Hash_ste: codes by the plain straight-through estimator.

Bengio, Leonard and Courville (2013), Estimating or Propagating Gradients Through Stochastic
Neurons. HashGNN with p = 0 throughout and without its ranking loss.
"""

import torch
from torch import Tensor

from hashgnn.models.base import GraphHasher
from hashgnn.models.hashing import Progress, straight_through
from hashgnn.models.settings import TrainingSettings
from hashgnn.models.task import Fitted, Task
from hashgnn.training.fit import fit_hasher


class HashSte(GraphHasher):
    """The loss sees the binary code; the gradient passes its sign unchanged."""

    def probability(self, progress: Progress) -> float:
        """Always 0."""
        return 0.0

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """h = sign(z)."""
        return straight_through(self.continuous(a))


SETTINGS = TrainingSettings


def fit(task: Task) -> Fitted:
    """Train Hash_ste on ``task``."""
    return fit_hasher(HashSte, SETTINGS, task)
