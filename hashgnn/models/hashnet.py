"""HashNet: a tanh that becomes the sign as training goes on.

    h = tanh(beta a),  beta = (1 + gamma t)^power

Cao, Long, Wang and Yu (2017), HashNet: Deep Learning to Hash by Continuation, ICCV. The schedule of
beta is that of the authors' code, https://github.com/thuml/HashNet; encoder, negatives and
reconstruction loss are those of the other methods here, and there is no ranking loss. The codes are
the signs, the continuous vectors tanh(beta a) at the beta of the epoch that did best.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from hashgnn.config.settings import require
from hashgnn.graph.bipartite import Graph
from hashgnn.models.base import GraphHasher
from hashgnn.models.hashing import Progress, Unit
from hashgnn.models.settings import TrainingSettings
from hashgnn.models.task import Fitted, Task
from hashgnn.training.fit import fit_hasher


@dataclass(frozen=True)
class Continuation:
    """beta = (1 + ``gamma`` t) ** ``power``, where t counts in ``unit``, renewed each ``every``.

    The defaults are those of the authors' code (thuml/HashNet): beta is 1 for 200 iterations, and
    4.6 after 4,000.
    """

    gamma: float = 0.005
    power: float = 0.5
    every: float = 200
    unit: Unit = "iterations"

    def __post_init__(self) -> None:
        """``InputError`` for what makes no schedule."""
        require(self, every=0.001, gamma=0, power=0)

    def beta(self, progress: Progress) -> float:
        """beta for the iteration that comes next."""
        t = self.every * progress.steps(self.every, self.unit)
        return (1 + self.gamma * t) ** self.power


@dataclass(frozen=True)
class HashNetSettings(TrainingSettings):
    """Adds the course of beta."""

    continuation: Continuation = field(default_factory=Continuation)


class HashNet(GraphHasher):
    """The loss sees tanh(beta a). beta is kept with the weights that were trained under it."""

    beta: Tensor

    def __init__(self, graph: Graph, bits: int, settings: HashNetSettings) -> None:
        super().__init__(graph, bits, settings)
        self.continuation = settings.continuation
        self.register_buffer("beta", torch.tensor(1.0))

    def continuous(self, a: Tensor) -> Tensor:
        """tanh(beta a), with the beta of the last training step."""
        return torch.tanh(self.beta * a)

    def probability(self, progress: Progress) -> float:
        """Always 1: the loss sees continuous values, however near the signs they come."""
        return 1.0

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """tanh(beta a), after beta was renewed."""
        self.beta.fill_(self.continuation.beta(progress))
        return self.continuous(a)


SETTINGS = HashNetSettings


def fit(task: Task) -> Fitted:
    """Train HashNet on ``task``."""
    return fit_hasher(HashNet, SETTINGS, task)
