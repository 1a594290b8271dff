"""Means over neighborhoods, with their gradients.

On the CPU numba kernels read each row where it lies; on other devices, and as the reference that
the tests compare with, plain torch operations do the same.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from hashgnn.graph.neighborhoods import Neighborhoods
from hashgnn.graph.rows import gather_rows, scatter_rows


def neighbor_mean(x: Tensor, hoods: Neighborhoods) -> Tensor:
    """Mean row of each target's neighbors: [T, d], from ``x`` [rows, d]."""
    if has_kernels(x):
        return _NeighborMean.apply(x, *hoods)
    return neighbor_mean_reference(x, hoods)


def neighbor_mean_reference(x: Tensor, hoods: Neighborhoods) -> Tensor:
    """What ``neighbor_mean`` computes, in plain torch operations."""
    counts = hoods.stops - hoods.starts
    owners = torch.arange(len(counts), device=x.device).repeat_interleave(counts)
    within = torch.arange(len(owners), device=x.device) - (counts.cumsum(0) - counts)[owners]
    neighbors = x[hoods.indices[hoods.starts[owners] + within].long()]
    sums = x.new_zeros(len(counts), x.shape[1]).index_add(0, owners, neighbors)
    return sums / counts[:, None]


def has_kernels(x: Tensor) -> bool:
    """Whether the kernels can work on ``x``."""
    return x.device.type == "cpu" and x.dtype == torch.float32


def gather(x: Tensor, hoods: Neighborhoods, share: float, out: Tensor) -> None:
    """``gather_rows`` of tensors on the CPU."""
    own, starts, stops, indices = (part.numpy() for part in hoods)
    gather_rows(x.numpy(), own, starts, stops, indices, np.float32(share), out.numpy())


def scatter(gradient: Tensor, hoods: Neighborhoods, share: float, out: Tensor) -> None:
    """``scatter_rows`` of tensors on the CPU."""
    own, starts, stops, indices = (part.numpy() for part in hoods)
    scatter_rows(gradient.numpy(), own, starts, stops, indices, np.float32(share), out.numpy())


class _NeighborMean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, *parts: Tensor) -> Tensor:
        ctx.save_for_backward(*parts)
        ctx.shape = x.shape
        out = x.new_empty(len(parts[0]), x.shape[1])
        gather(x.detach().contiguous(), Neighborhoods(*parts), 0.0, out)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        of_x = gradients[0].new_zeros(ctx.shape)
        scatter(gradients[0].contiguous(), Neighborhoods(*ctx.saved_tensors), 0.0, of_x)
        return of_x, None, None, None, None
