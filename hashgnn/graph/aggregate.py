"""Means over neighborhoods, with their gradients.

On the CPU numba kernels read each row where it lies and prefetch the rows of the next target; on
other devices, and as the reference of the tests, plain torch operations do the same.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from hashgnn.graph.bipartite import Graph
from hashgnn.kernels import LINE, njit, prefetch_line


class Neighborhoods(NamedTuple):
    """Target t [T] reads ``indices[starts[t]:stops[t]]`` and itself: rows of the layer's input.

    ``targets`` and ``indices`` are int32 or int64, ``starts`` and ``stops`` int64; none is empty.
    """

    targets: Tensor
    starts: Tensor
    stops: Tensor
    indices: Tensor

    def rows(self, start: int, stop: int) -> "Neighborhoods":
        """Those of some of the targets."""
        chosen = slice(start, stop)
        return self._replace(
            targets=self.targets[chosen], starts=self.starts[chosen], stops=self.stops[chosen]
        )


def drawn(targets: Tensor, neighbors: Tensor) -> Neighborhoods:
    """Sampled ``neighbors`` [T, fanout] of the ``targets`` [T]."""
    count, fanout = neighbors.shape
    bounds = torch.arange(0, count * fanout + 1, fanout, device=targets.device)
    return Neighborhoods(targets, bounds[:-1], bounds[1:], neighbors.flatten())


def whole(graph: Graph, device: torch.device, targets: Tensor | None = None) -> Neighborhoods:
    """All neighbors of the nodes ``targets``, or of every node."""
    indptr = torch.from_numpy(graph.indptr).to(device)
    indices = torch.from_numpy(graph.indices).to(device)
    if targets is None:
        targets = torch.arange(graph.n_nodes, device=device)
        return Neighborhoods(targets, indptr[:-1], indptr[1:], indices)
    chosen = targets.long()
    return Neighborhoods(targets, indptr[chosen], indptr[chosen + 1], indices)


@njit(cache=True)
def _prefetch(matrix: np.ndarray, row: int) -> None:
    for offset in range(0, matrix.shape[1] * matrix.itemsize, LINE):
        prefetch_line(matrix, np.int64(row), offset)


@njit(cache=True, fastmath={"contract"})
def _add(sink: np.ndarray, weight: np.float32, source: np.ndarray) -> None:
    for d in range(len(source)):
        sink[d] += weight * source[d]


@njit(cache=True, fastmath={"contract"})
def gather_rows(
    x: np.ndarray,
    targets: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    indices: np.ndarray,
    share: np.float32,
    out: np.ndarray,
) -> None:
    """Mix each target's own row with the mean row of its neighbors.

    ``x`` float32 [rows, d]; see ``Neighborhoods`` for the next four. ``out`` [T, 2 d] takes the
    two side by side; ``out`` [T, d] takes ``share`` of the one and 1 - ``share`` of the other.
    """
    width = x.shape[1]
    beside = out.shape[1] > width
    mixed = 1.0 if beside else 1.0 - share  # of the mean
    for row in range(len(targets)):
        own, mean = out[row, :width], out[row, out.shape[1] - width :]
        mean[:] = 0.0
        if beside:
            own[:] = x[targets[row]]
        elif share > 0:
            _add(mean, share, x[targets[row]])
        weight = np.float32(mixed / (stops[row] - starts[row]))
        following = min(row + 1, len(targets) - 1)
        _prefetch(x, targets[following])
        ahead, behind = starts[following], stops[following]
        for place in range(starts[row], stops[row]):
            if ahead < behind:
                _prefetch(x, indices[ahead])
                ahead += 1
            _add(mean, weight, x[indices[place]])


@njit(cache=True, fastmath={"contract"})
def scatter_rows(
    gradient: np.ndarray,
    targets: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    indices: np.ndarray,
    share: np.float32,
    out: np.ndarray,
) -> None:
    """Add to ``out`` [rows, d] what a gradient of ``gather_rows``' result makes of its ``x``."""
    width = out.shape[1]
    beside = gradient.shape[1] > width
    mixed = 1.0 if beside else 1.0 - share  # of the mean
    for row in range(len(targets)):
        own, mean = gradient[row, :width], gradient[row, gradient.shape[1] - width :]
        _add(out[targets[row]], np.float32(1.0) if beside else share, own)
        weight = np.float32(mixed / (stops[row] - starts[row]))
        following = min(row + 1, len(targets) - 1)
        _prefetch(out, targets[following])
        ahead, behind = starts[following], stops[following]
        for place in range(starts[row], stops[row]):
            if ahead < behind:
                _prefetch(out, indices[ahead])
                ahead += 1
            _add(out[indices[place]], weight, mean)


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
