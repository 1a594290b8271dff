"""Hash_gumb: each bit is a sample of a two-way Gumbel-softmax, sharper as training goes on.

    h = tanh((a + (g - g') / 2) / tau),  g, g' ~ Gumbel(0, 1),  tau = max(floor, exp(-rate t))

Jang, Gu and Poole (2017), Categorical Reparameterization with Gumbel-Softmax, ICLR,
https://arxiv.org/abs/1611.01144. The logits of a bit's two values are a and -a, so that its mean
is z = tanh(a): the continuous vectors are the means, without noise, and the codes the likelier
values. There is no ranking loss.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from hashgnn.config.settings import require
from hashgnn.graph.bipartite import Graph
from hashgnn.models.base import GraphHasher
from hashgnn.models.hashing import Progress, Unit, straight_through
from hashgnn.models.settings import TrainingSettings
from hashgnn.models.task import Fitted, Task
from hashgnn.training.fit import fit_hasher


@dataclass(frozen=True)
class Temperature:
    """tau = max(``floor``, exp(-``rate`` t)), where t counts in ``unit``, renewed each ``every``.

    Jang et al., section 4: rates of 1e-5 and 1e-4, each 500 or 1,000 iterations, floor 0.5.
    """

    rate: float = 1e-4
    floor: float = 0.5
    every: float = 500
    unit: Unit = "iterations"

    def __post_init__(self) -> None:
        """``InputError`` for what makes no schedule."""
        require(self, every=0.001, rate=0, floor=0.001)

    def tau(self, progress: Progress) -> float:
        """tau for the iteration that comes next."""
        t = self.every * progress.steps(self.every, self.unit)
        return max(self.floor, math.exp(-self.rate * t))


def gumbel_bits(a: Tensor, tau: float, rng: torch.Generator) -> Tensor:
    """A relaxed sample in [-1, 1] of bits with P(+1) = sigma(2 a), of the shape of ``a``.

    With logits a of +1 and -a of -1, Gumbel noises g and g', and the softmax's share y of +1:

        2 y - 1 = tanh((a + (g - g') / 2) / tau).

    The sample is positive with probability sigma(2 a) whatever ``tau``, so that the mean of its
    sign is tanh(a). The difference of two Gumbel variables has the logistic distribution.
    """
    uniform = torch.rand(a.shape, generator=rng, device=a.device, dtype=a.dtype)
    return torch.tanh((a + uniform.logit() / 2) / tau)


@dataclass(frozen=True)
class HashGumbSettings(TrainingSettings):
    """Adds the course of tau; ``hard``: the loss sees the sample's sign, straight through."""

    temperature: Temperature = field(default_factory=Temperature)
    hard: bool = False


class HashGumb(GraphHasher):
    """The loss sees relaxed samples of the bits, drawn anew in each step."""

    def __init__(self, graph: Graph, bits: int, settings: HashGumbSettings) -> None:
        super().__init__(graph, bits, settings)
        self.temperature = settings.temperature
        self.hard = settings.hard

    def probability(self, progress: Progress) -> float:
        """1 for relaxed samples, 0 for ``hard`` ones."""
        return 0.0 if self.hard else 1.0

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """A sample of each bit."""
        sample = gumbel_bits(a, self.temperature.tau(progress), rng)
        return straight_through(sample) if self.hard else sample


SETTINGS = HashGumbSettings


def fit(task: Task) -> Fitted:
    """Train Hash_gumb on ``task``."""
    return fit_hasher(HashGumb, SETTINGS, task)
