"""Guidance of the straight-through estimator by the continuous embedding (paper, section 4.1)."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hashgnn.hashing.progress import Progress

Granularity = Literal["element", "row"]


@dataclass(frozen=True)
class Guidance:
    """Probability p of showing the loss the continuous value, and what one draw covers.

    p falls from ``start`` by ``step`` each ``every`` ``unit``, never below ``floor``. A schedule
    in epochs keeps its course when the size of the batch changes.
    ``granularity``: a draw for each ``element`` (paper) or each ``row``.
    """

    start: float = 1.0
    step: float = 0.05
    every: float = 250
    unit: Literal["iterations", "epochs"] = "iterations"
    floor: float = 0.0
    granularity: Granularity = "element"

    def probability(self, progress: Progress) -> float:
        """p for the iteration that comes next."""
        iterations = self.every * (progress.per_epoch if self.unit == "epochs" else 1)
        return max(self.floor, self.start - self.step * (progress.iteration // iterations))


def mix(z: Tensor, h: Tensor, p: float, granularity: Granularity, rng: torch.Generator) -> Tensor:
    """Q * z + (1 - Q) * h with Q ~ Bernoulli(p) (paper, Eq. 8); ``z`` and ``h`` are [rows, K]."""
    shape = z.shape if granularity == "element" else (len(z), 1)
    kept = torch.rand(shape, generator=rng, device=z.device) < p
    return torch.where(kept, z, h)
