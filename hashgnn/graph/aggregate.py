"""Means over neighborhoods, sampled or whole, with their gradients.

On the CPU numba kernels read each row where it lies; on other devices, and as the reference that
the tests compare with, plain torch operations do the same.
"""

from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from hashgnn.graph.bipartite import Graph


def gather(x: Tensor, targets: Tensor, neighbors: Tensor) -> Tensor:
    """Rows of the targets beside the mean rows of their sampled neighbors: [T, 2 d].

    ``x`` [rows, d]; ``targets`` int [T]; ``neighbors`` int [T, fanout].
    """
    if x.device.type == "cpu" and x.dtype == torch.float32:
        return _Gather.apply(x, targets, neighbors)
    return gather_reference(x, targets, neighbors)


def gather_reference(x: Tensor, targets: Tensor, neighbors: Tensor) -> Tensor:
    """What ``gather`` computes, in plain torch operations."""
    return torch.cat([x[targets.long()], x[neighbors.long()].mean(dim=1)], dim=1)


def whole_mean(x: Tensor, graph: Graph) -> Tensor:
    """Mean row of all neighbors of every node: [n_nodes, d], float32, without gradient."""
    if x.device.type == "cpu":
        out = np.empty(x.shape, dtype=np.float32)
        _whole_mean(x.detach().contiguous().numpy(), graph.indptr, graph.indices, out)
        return torch.from_numpy(out)
    return _whole_mean_torch(x, graph)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, targets: Tensor, neighbors: Tensor) -> Tensor:
        ctx.save_for_backward(targets, neighbors)
        ctx.shape = x.shape
        out = torch.empty(len(targets), 2 * x.shape[1])
        rows = x.detach().contiguous().numpy()
        _gather(rows, targets.numpy(), neighbors.numpy(), out.numpy())
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        targets, neighbors = ctx.saved_tensors
        gradient = gradients[0].contiguous().numpy()
        out = torch.zeros(ctx.shape)
        _scatter(gradient, targets.numpy(), neighbors.numpy(), out.numpy())
        return out, None, None


@njit(cache=True, fastmath={"contract"})
def _gather(x: np.ndarray, targets: np.ndarray, neighbors: np.ndarray, out: np.ndarray) -> None:
    width = x.shape[1]
    weight = np.float32(1.0 / neighbors.shape[1])
    for row in range(len(targets)):
        own, mean = out[row, :width], out[row, width:]
        own[:] = x[targets[row]]
        mean[:] = 0.0
        for k in range(neighbors.shape[1]):
            source = x[neighbors[row, k]]
            for d in range(width):
                mean[d] += weight * source[d]


@njit(cache=True, fastmath={"contract"})
def _scatter(
    gradient: np.ndarray, targets: np.ndarray, neighbors: np.ndarray, out: np.ndarray
) -> None:
    width = out.shape[1]
    weight = np.float32(1.0 / neighbors.shape[1])
    for row in range(len(targets)):
        own, mean = gradient[row, :width], gradient[row, width:]
        sink = out[targets[row]]
        for d in range(width):
            sink[d] += own[d]
        for k in range(neighbors.shape[1]):
            sink = out[neighbors[row, k]]
            for d in range(width):
                sink[d] += weight * mean[d]


@njit(cache=True, fastmath={"contract"})
def _whole_mean(x: np.ndarray, indptr: np.ndarray, indices: np.ndarray, out: np.ndarray) -> None:
    width = x.shape[1]
    for node in range(len(indptr) - 1):
        start, stop = indptr[node], indptr[node + 1]
        weight = np.float32(1.0 / (stop - start))
        sink = out[node]
        for d in range(width):
            sink[d] = 0.0
        for edge in range(start, stop):
            source = x[indices[edge]]
            for d in range(width):
                sink[d] += source[d]
        for d in range(width):
            sink[d] *= weight


def _whole_mean_torch(x: Tensor, graph: Graph) -> Tensor:
    indptr = torch.from_numpy(graph.indptr).to(x.device)
    indices = torch.from_numpy(graph.indices).long().to(x.device)
    return torch.segment_reduce(x[indices], "mean", offsets=indptr, axis=0)
