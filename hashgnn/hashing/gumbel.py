"""Stochastic bits: the two-way Gumbel-softmax (Jang, Gu and Poole 2017)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from hashgnn.hashing.progress import Progress, Unit
from hashgnn.settings import require


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
