"""Guidance of the straight-through estimator by the continuous embedding (paper, section 4.1)."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hashgnn.hashing.progress import Progress, Unit
from hashgnn.settings import at_most, require

Granularity = Literal["element", "row", "pair"]


@dataclass(frozen=True)
class Guidance:
    """Probability p of showing the loss the continuous value, and what one draw covers.

    p falls from ``start`` by ``step`` each ``every`` ``unit``, never below ``floor``. A schedule
    in epochs keeps its course when the size of the batch changes.
    ``granularity``: a draw for each ``element`` (paper), each ``row``, or, as in the authors'
    code, each ``pair``: one for a user and its positive item, one for each negative item.
    """

    start: float = 1.0
    step: float = 0.05
    every: float = 250
    unit: Unit = "iterations"
    floor: float = 0.0
    granularity: Granularity = "element"

    def __post_init__(self) -> None:
        """``InputError`` for what makes no schedule."""
        require(self, every=0.001, start=0, step=0, floor=0)
        at_most(self, start=1, floor=1)

    def probability(self, progress: Progress) -> float:
        """p for the iteration that comes next."""
        return max(self.floor, self.start - self.step * progress.steps(self.every, self.unit))


def mix(z: Tensor, h: Tensor, p: float, granularity: Granularity, rng: torch.Generator) -> Tensor:
    """Q * z + (1 - Q) * h with Q ~ Bernoulli(p) (paper, Eq. 8); ``z`` and ``h`` are [rows, K]."""
    shape = z.shape if granularity == "element" else (len(z), 1)
    kept = torch.rand(shape, generator=rng, device=z.device) < p
    return torch.where(kept, z, h)


def pick_by_pair(
    users: Tensor, items: Tensor, n_rows: int, p: float, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Rows of [z ; h] ([2 n_rows, K]) instead of rows of z, by one draw a pair.

    ``users`` int [B] and ``items`` int [B, 1 + n], the positive first. A user and its positive
    take both z, with probability ``p``, or both h; each negative draws for itself.
    """
    binary = torch.rand(items.shape, generator=rng, device=items.device) >= p
    offsets = (n_rows * binary).to(items.dtype)
    return users + offsets[:, 0], items + offsets
