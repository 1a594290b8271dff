"""Compute a mean aggregation layer as one operation: gather, multiply, activate.

The targets are processed in blocks, so that intermediate results stay in the cache.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hashgnn.graph.aggregate import (
    Neighborhoods,
    gather,
    has_kernels,
    neighbor_mean_reference,
    scatter,
)


def multiply(a: Tensor, b: Tensor, out: Tensor) -> None:
    """Write ``a`` @ ``b`` into ``out``, without gradients; all are float32 on the CPU.

    ``out`` is contiguous; ``a`` and ``b`` are contiguous or transposed.
    """
    if torch.get_num_threads() == 1:
        with np.errstate(over="ignore", invalid="ignore"):  # torch does not warn either
            np.dot(a.numpy(), b.numpy(), out=out.numpy())
    else:
        torch.mm(a, b, out=out)


SLOPE = 0.2  # of LeakyReLU for negative inputs
BLOCK = 1024  # targets; 0.5 MB at width 128


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
        mixed = x.new_empty(len(hoods.targets) if learns else BLOCK, weight.shape[1])
        out, turned = x.new_empty(len(hoods.targets), len(weight)), weight.detach().t()
        for start, stop in _blocks(hoods):
            place = slice(start, stop) if learns else slice(stop - start)
            gather(source, hoods.rows(start, stop), share, mixed[place])
            multiply(mixed[place], turned, out[start:stop])
            functional.leaky_relu_(out[start:stop].add_(bias), SLOPE)
        ctx.save_for_backward(weight, mixed, out, *parts)
        ctx.shape, ctx.share = x.shape, share
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        weight, mixed, out, *parts = ctx.saved_tensors
        hoods = Neighborhoods(*parts)
        of_x, of_weight = weight.new_zeros(ctx.shape), torch.zeros_like(weight)
        of_bias = weight.new_zeros(len(weight))
        inner, outer = weight.new_empty(BLOCK, len(weight)), mixed.new_empty(BLOCK, mixed.shape[1])
        part = torch.empty_like(weight)
        for start, stop in _blocks(hoods):
            rows, size = slice(start, stop), stop - start
            # The activation keeps the sign, so its output serves in place of its input.
            before = torch.ops.aten.leaky_relu_backward.grad_input(
                gradients[0][rows], out[rows], SLOPE, True, grad_input=inner[:size]
            )
            multiply(before.t(), mixed[rows], part)
            of_weight += part
            of_bias += before.sum(0)
            multiply(before, weight, outer[:size])
            scatter(outer[:size], hoods.rows(start, stop), ctx.share, of_x)
        return of_x, of_weight, of_bias, None, None, None, None, None, None


def _blocks(hoods: Neighborhoods) -> Iterator[tuple[int, int]]:
    count = len(hoods.targets)
    for start in range(0, count, BLOCK):
        yield start, min(start + BLOCK, count)
