"""Hash_gumb: each bit is a sample of a two-way Gumbel-softmax whose temperature falls.

    h = tanh((a + (g - g') / 2) / tau),  g, g' ~ Gumbel(0, 1),  tau = max(floor, exp(-rate t))

Jang, Gu and Poole (2017), Categorical Reparameterization with Gumbel-Softmax, ICLR,
https://arxiv.org/abs/1611.01144. The logits of a bit's two values are a and -a, so that its mean
is z = tanh(a): the continuous vectors are the means, without noise, and the codes the more probable
values. There is no ranking loss.
"""

import math

import torch
from pydantic import Field
from torch import Tensor

from hashgnn.config.base import Section
from hashgnn.graph import Graph
from hashgnn.models.graph_hasher import GraphHasher, straight_through
from hashgnn.models.method import GraphMethod, GraphParameters, Progress, Unit


class Temperature(Section):
    """Schedule of tau = max(``floor``, exp(-``rate`` t)).

    Jang et al., section 4: rates of 1e-5 and 1e-4, renewed every 500 or 1,000 iterations, floor
    0.5.
    """

    rate: float = Field(default=1e-4, ge=0)
    """Rate of the decay per ``unit``."""

    floor: float = Field(default=0.5, ge=0.001)
    """Smallest tau."""

    every: float = Field(default=500, ge=0.001)
    """How often tau is renewed, in ``unit``."""

    unit: Unit = "iterations"
    """Unit of t and ``every``."""

    def tau(self, progress: Progress) -> float:
        """Return tau for the next iteration."""
        t = self.every * progress.steps(self.every, self.unit)
        return max(self.floor, math.exp(-self.rate * t))


class Parameters(GraphParameters):
    """Adds the schedule of tau and the choice between relaxed and binary samples."""

    temperature: Temperature = Temperature()
    """Schedule of the temperature tau."""

    hard: bool = False
    """Whether the loss sees the sign of the sample, with the straight-through gradient."""


def gumbel_bits(a: Tensor, tau: float, rng: torch.Generator) -> Tensor:
    """Sample relaxed bits in [-1, 1] with P(+1) = sigma(2 a), of the shape of ``a``.

    With logits a of +1 and -a of -1, Gumbel noises g and g', and the softmax's share y of +1:

        2 y - 1 = tanh((a + (g - g') / 2) / tau).

    The sample is positive with probability sigma(2 a) whatever ``tau``, so that the mean of its
    sign is tanh(a). The difference of two Gumbel variables has the logistic distribution.
    """
    uniform = torch.rand(a.shape, generator=rng, device=a.device, dtype=a.dtype)
    return torch.tanh((a + uniform.logit() / 2) / tau)


class HashGumbModel(GraphHasher):
    """The loss sees relaxed samples of the bits, drawn in each step."""

    def __init__(self, graph: Graph, bits: int, parameters: Parameters) -> None:
        super().__init__(graph, bits, parameters)
        self.temperature = parameters.temperature
        self.hard = parameters.hard

    def probability(self, progress: Progress) -> float:
        """Return 1 for relaxed samples, 0 for binary ones."""
        return 0.0 if self.hard else 1.0

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """Return a sample of each bit."""
        sample = gumbel_bits(a, self.temperature.tau(progress), rng)
        return straight_through(sample) if self.hard else sample


METHOD = GraphMethod(Parameters, HashGumbModel)
