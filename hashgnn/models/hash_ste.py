"""Hash_ste: codes trained with the plain straight-through estimator.

Bengio, Leonard and Courville (2013), Estimating or Propagating Gradients Through Stochastic
Neurons. HashGNN with p = 0 throughout and without the ranking loss.
"""

import torch
from torch import Tensor

from hashgnn.models.graph_hasher import GraphHasher, straight_through
from hashgnn.models.method import GraphMethod, GraphParameters, Progress


class Parameters(GraphParameters):
    """Those of every graph method."""


class HashSteModel(GraphHasher):
    """The loss sees the binary code; the gradient of the sign is taken to be 1."""

    def probability(self, progress: Progress) -> float:
        """Return 0: the loss never sees continuous values."""
        return 0.0

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """Return h = sign(z)."""
        return straight_through(self.continuous(a))


METHOD = GraphMethod(Parameters, HashSteModel)
