"""Guidance of the straight-through estimator by the continuous embedding (paper, section 4.1)."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Granularity = Literal["element", "row"]


@dataclass(frozen=True)
class Guidance:
    """Probability p of showing the loss the continuous value, and what one draw covers.

    p falls from ``start`` by ``step`` each ``every`` iterations, never below ``floor``.
    ``granularity``: a draw for each ``element`` (paper) or each ``row``.
    """

    start: float = 1.0
    step: float = 0.05
    every: int = 250
    floor: float = 0.0
    granularity: Granularity = "element"

    def probability(self, iteration: int) -> float:
        """p at an iteration, counted from 0."""
        return max(self.floor, self.start - self.step * (iteration // self.every))


def mix(z: Tensor, h: Tensor, p: float, granularity: Granularity, rng: torch.Generator) -> Tensor:
    """Q * z + (1 - Q) * h with Q ~ Bernoulli(p) (paper, Eq. 8); ``z`` and ``h`` are [rows, K]."""
    shape = z.shape if granularity == "element" else (len(z), 1)
    kept = torch.rand(shape, generator=rng, device=z.device) < p
    return torch.where(kept, z, h)
