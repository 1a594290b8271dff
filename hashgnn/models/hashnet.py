"""HashNet: a tanh that approaches the sign during training.

    h = tanh(beta a),  beta = (1 + gamma t)^power

Cao, Long, Wang and Yu (2017), HashNet: Deep Learning to Hash by Continuation, ICCV. The schedule of
beta is that of the authors' code, https://github.com/thuml/HashNet; encoder, negatives and
cross-entropy are those of the other methods here, and there is no ranking loss. Codes are the
signs, continuous vectors tanh(beta a) with the beta of the best epoch.
"""

import torch
from pydantic import Field
from torch import Tensor

from hashgnn.config.base import Section
from hashgnn.graph import Graph
from hashgnn.models.graph_hasher import GraphHasher
from hashgnn.models.method import GraphMethod, GraphParameters, Progress, Unit


class Continuation(Section):
    """Schedule of beta = (1 + ``gamma`` t) ** ``power``.

    The defaults are those of the authors' code: beta is 1 for 200 iterations, and 4.6 after 4,000.
    """

    gamma: float = Field(default=0.005, ge=0)
    """Rate of the growth per ``unit``."""

    power: float = Field(default=0.5, ge=0)
    """Exponent of the growth."""

    every: float = Field(default=200, ge=0.001)
    """How often beta is renewed, in ``unit``."""

    unit: Unit = "iterations"
    """Unit of t and ``every``."""

    def beta(self, progress: Progress) -> float:
        """Return beta for the next iteration."""
        t = self.every * progress.steps(self.every, self.unit)
        return (1 + self.gamma * t) ** self.power


class Parameters(GraphParameters):
    """Adds the schedule of beta."""

    continuation: Continuation = Continuation()
    """Schedule of beta."""


class HashNetModel(GraphHasher):
    """The loss sees tanh(beta a). beta is saved with the weights that were trained under it."""

    beta: Tensor

    def __init__(self, graph: Graph, bits: int, parameters: Parameters) -> None:
        super().__init__(graph, bits, parameters)
        self.continuation = parameters.continuation
        self.register_buffer("beta", torch.tensor(1.0))

    def continuous(self, a: Tensor) -> Tensor:
        """Return tanh(beta a), with the beta of the last training step."""
        return torch.tanh(self.beta * a)

    def probability(self, progress: Progress) -> float:
        """Return 1: the loss sees continuous values, however close to the signs."""
        return 1.0

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """Renew beta and return tanh(beta a)."""
        self.beta.fill_(self.continuation.beta(progress))
        return self.continuous(a)


METHOD = GraphMethod(Parameters, HashNetModel)
