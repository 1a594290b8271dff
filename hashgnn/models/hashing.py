"""Signs with straight-through gradients, and the progress that schedules go by."""

from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

Unit = Literal["iterations", "epochs"]


class Progress(NamedTuple):
    """Iterations done, and how many make an epoch."""

    iteration: int
    per_epoch: int

    def steps(self, every: float, unit: Unit) -> int:
        """How often a schedule that is renewed each ``every`` ``unit`` has been renewed."""
        return int(self.iteration // (every * (self.per_epoch if unit == "epochs" else 1)))


def sign(z: Tensor) -> Tensor:
    """+1 where ``z`` >= 0, else -1 (paper, Eq. 3); never 0, unlike ``torch.sign``."""
    return torch.where(z >= 0, 1.0, -1.0).to(z.dtype)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        return sign(z)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


def straight_through(z: Tensor) -> Tensor:
    """Sign forward, identity backward (Bengio et al. 2013; paper, section 4)."""
    return _StraightThrough.apply(z)


def pack(z: np.ndarray) -> np.ndarray:
    """Codes of ``z`` float [rows, K], packed: uint8 [rows, ceil(K/8)], bit 1 where z >= 0.

    Bit k of a code is bit k % 8 of byte k // 8; the bits beyond K are 0.
    """
    return np.packbits(z >= 0, axis=1, bitorder="little")
