"""Compute means over neighborhoods, the layer of the mean encoder, and their gradients.

On the CPU, numba kernels read each row in place and prefetch the rows of the next target. On other
devices, and as the reference in tests, plain torch operations compute the same. The layer gathers,
multiplies and activates the targets in blocks, so that intermediate results stay in the cache.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hashgnn.graph import Graph
from hashgnn.kernels import LINE, njit, prefetch_line

SLOPE = 0.2  # of LeakyReLU for negative inputs
BLOCK = 1024  # targets; 0.5 MB at width 128


class Neighborhoods(NamedTuple):
    """The rows of a layer's input that each of T targets reads.

    Target t reads row ``targets[t]``, its own, and the rows ``indices[starts[t]:stops[t]]`` of its
    neighbors; if there are none, their mean is 0. ``targets`` and ``indices`` are int32 or int64,
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

    def without_neighbors(self, first: int) -> "Neighborhoods":
        """Return the neighborhoods in which the targets from row ``first`` on have no neighbors."""
        stops = torch.where(self.targets >= first, self.starts, self.stops)
        return self._replace(stops=stops)

    def reads_neighbors(self) -> bool:
        """Return whether any target has neighbors."""
        return bool((self.stops > self.starts).any())


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
        weight = np.float32(mixed / max(1, stops[row] - starts[row]))
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
        weight = np.float32(mixed / max(1, stops[row] - starts[row]))
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
    # A sum in bfloat16 stops to grow at 256 times what is added to it.
    exact = torch.promote_types(x.dtype, torch.float32)
    sums = x.new_zeros(len(counts), x.shape[1], dtype=exact)
    return sums.index_add(0, owners, neighbors.to(exact)) / counts.clamp(min=1)[:, None]


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


def multiply(a: Tensor, b: Tensor, out: Tensor) -> None:
    """Write ``a`` @ ``b`` into ``out``, without gradients; all are float32 on the CPU.

    ``out`` is contiguous; ``a`` and ``b`` are contiguous or transposed.
    """
    if torch.get_num_threads() == 1:
        with np.errstate(over="ignore", invalid="ignore"):  # torch does not warn either
            np.dot(a.numpy(), b.numpy(), out=out.numpy())
    else:
        torch.mm(a, b, out=out)


def mean_layer(
    x: Tensor, hoods: Neighborhoods, weight: Tensor, bias: Tensor, share: float
) -> Tensor:
    """Return LeakyReLU(W m + b) for every target: float32 [T, out].

    Args:
        x: The layer's input, [rows, d].
        hoods: The rows of ``x`` that each target reads.
        weight: W. With shape [out, 2 d], m is [self ; mean(neighbors)]; with shape [out, d], m is
            ``share`` self + (1 - ``share``) mean(neighbors).
        bias: b, [out].
        share: Weight of a target's own row, for a ``weight`` of [out, d].
    """
    if has_kernels(x):
        return _MeanLayer.apply(x, weight, bias, share, torch.is_grad_enabled(), *hoods)
    return mean_layer_reference(x, hoods, weight, bias, share)


def mean_layer_reference(
    x: Tensor, hoods: Neighborhoods, weight: Tensor, bias: Tensor, share: float
) -> Tensor:
    """Compute ``mean_layer`` with plain torch operations."""
    own, mean = x[hoods.targets.long()], neighbor_mean_reference(x, hoods)
    if weight.shape[1] > x.shape[1]:
        mixed = torch.cat([own, mean], dim=1)
    else:
        mixed = share * own + (1 - share) * mean
    return functional.leaky_relu(functional.linear(mixed, weight, bias), SLOPE)


class _MeanLayer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        share: float,
        learns: bool,
        *parts: Tensor,
    ) -> Tensor:
        hoods, source = Neighborhoods(*parts), x.detach().contiguous()
        out, read = x.new_empty(len(hoods.targets), len(weight)), []
        for rows, own in _blocks(hoods):
            used, of_self = _used(own, weight.detach(), share, x.shape[1])
            mixed = x.new_empty(len(own.targets), used.shape[1])
            gather(source, own, of_self, mixed)
            multiply(mixed, used.t(), out[rows])
            functional.leaky_relu_(out[rows].add_(bias), SLOPE)
            if learns:
                read.append(mixed)
        ctx.save_for_backward(weight, out, *parts, *read)
        ctx.shape, ctx.share = x.shape, share
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        weight, out, *rest = ctx.saved_tensors
        hoods, read = Neighborhoods(*rest[:4]), rest[4:]
        of_x, of_weight = weight.new_zeros(ctx.shape), torch.zeros_like(weight)
        of_bias = weight.new_zeros(len(weight))
        for (rows, own), mixed in zip(_blocks(hoods), read, strict=True):
            used, of_self = _used(own, weight, ctx.share, ctx.shape[1])
            # The activation keeps the sign, so its output serves in place of its input.
            before = torch.ops.aten.leaky_relu_backward(gradients[0][rows], out[rows], SLOPE, True)
            part, outer = torch.empty_like(used), torch.empty_like(mixed)
            multiply(before.t(), mixed, part)
            of_weight[:, : part.shape[1]] += part
            of_bias += before.sum(0)
            multiply(before, used, outer)
            scatter(outer, own, of_self, of_x)
        return of_x, of_weight, of_bias, None, None, None, None, None, None


def _used(hoods: Neighborhoods, weight: Tensor, share: float, width: int) -> tuple[Tensor, float]:
    """Return the columns of W that rows other than 0 meet, and the weight of a target's own row.

    Targets without neighbors need half of [self ; mean(neighbors)], which is 0 beyond.
    """
    if weight.shape[1] == width or hoods.reads_neighbors():
        return weight, share
    return weight[:, :width].contiguous(), 1.0


def _blocks(hoods: Neighborhoods) -> Iterator[tuple[slice, Neighborhoods]]:
    for start in range(0, len(hoods.targets), BLOCK):
        yield slice(start, start + BLOCK), hoods.rows(start, start + BLOCK)
