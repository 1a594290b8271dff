"""Compute means over neighborhoods, and their gradients.

On the CPU, numba kernels read each row in place and prefetch the rows of the next target. On other
devices, and as the reference in tests, plain torch operations compute the same.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from hashgnn.graph.bipartite import Graph
from hashgnn.kernels import LINE, njit, prefetch_line


class Neighborhoods(NamedTuple):
    """The rows of a layer's input that each of T targets reads.

    Target t reads row ``targets[t]``, its own, and the rows ``indices[starts[t]:stops[t]]`` of its
    neighbors, of which there is at least one. ``targets`` and ``indices`` are int32 or int64,
    ``starts`` and ``stops`` int64.
    """

    targets: Tensor
    starts: Tensor
    stops: Tensor
    indices: Tensor

    def rows(self, start: int, stop: int) -> "Neighborhoods":
        """Return the neighborhoods of the targets ``start`` .. ``stop`` - 1."""
        chosen = slice(start, stop)
        return self._replace(
            targets=self.targets[chosen], starts=self.starts[chosen], stops=self.stops[chosen]
        )


def drawn(targets: Tensor, neighbors: Tensor) -> Neighborhoods:
    """Return the neighborhoods of ``targets`` [T] with sampled ``neighbors`` [T, fanout]."""
    count, fanout = neighbors.shape
    bounds = torch.arange(0, count * fanout + 1, fanout, device=targets.device)
    return Neighborhoods(targets, bounds[:-1], bounds[1:], neighbors.flatten())


def whole(graph: Graph, device: torch.device, targets: Tensor | None = None) -> Neighborhoods:
    """Return the neighborhoods of all neighbors of the nodes ``targets``, or of every node."""
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
    """Combine each target's own row with the mean row of its neighbors.

    Args:
        x: The layer's input, float32 [rows, d].
        targets, starts, stops, indices: See ``Neighborhoods``.
        share: Weight of the own row if ``out`` has d columns.
        out: Overwritten. [T, 2 d] takes own row and mean side by side, [T, d] takes
            ``share`` own + (1 - ``share``) mean.
    """
    width = x.shape[1]
    beside = out.shape[1] > width
    mixed = 1.0 if beside else 1.0 - share  # weight of the mean
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
    """Add the gradient of ``x`` to ``out`` [rows, d], given that of ``gather_rows``' result."""
    width = out.shape[1]
    beside = gradient.shape[1] > width
    mixed = 1.0 if beside else 1.0 - share  # weight of the mean
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
    """Return the mean row of each target's neighbors, [T, d], from ``x`` [rows, d]."""
    if has_kernels(x):
        return _NeighborMean.apply(x, *hoods)
    return neighbor_mean_reference(x, hoods)


def neighbor_mean_reference(x: Tensor, hoods: Neighborhoods) -> Tensor:
    """Compute ``neighbor_mean`` with plain torch operations."""
    counts = hoods.stops - hoods.starts
    owners = torch.arange(len(counts), device=x.device).repeat_interleave(counts)
    within = torch.arange(len(owners), device=x.device) - (counts.cumsum(0) - counts)[owners]
    neighbors = x[hoods.indices[hoods.starts[owners] + within].long()]
    sums = x.new_zeros(len(counts), x.shape[1]).index_add(0, owners, neighbors)
    return sums / counts[:, None]


def has_kernels(x: Tensor) -> bool:
    """Return whether the numba kernels support the device and type of ``x``."""
    return x.device.type == "cpu" and x.dtype == torch.float32


def gather(x: Tensor, hoods: Neighborhoods, share: float, out: Tensor) -> None:
    """Call ``gather_rows`` with tensors on the CPU."""
    own, starts, stops, indices = (part.numpy() for part in hoods)
    gather_rows(x.numpy(), own, starts, stops, indices, np.float32(share), out.numpy())


def scatter(gradient: Tensor, hoods: Neighborhoods, share: float, out: Tensor) -> None:
    """Call ``scatter_rows`` with tensors on the CPU."""
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
