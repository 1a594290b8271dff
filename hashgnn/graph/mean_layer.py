"""A layer of mean aggregation as one operation: gather, multiply, activate.

It goes over its targets block by block, so that what one operation leaves is still in the cache
when the next one wants it.
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
    """``out`` = ``a`` @ ``b``, float32 on the CPU, without gradients.

    ``out`` is contiguous; ``a`` and ``b`` are, or are transposed.
    """
    if torch.get_num_threads() == 1:
        with np.errstate(over="ignore", invalid="ignore"):  # as torch; training looks at its loss
            np.dot(a.numpy(), b.numpy(), out=out.numpy())
    else:
        torch.mm(a, b, out=out)


SLOPE = 0.2  # of LeakyReLU, below 0
BLOCK = 1024  # targets: a megabyte at width 128


def mean_layer(
    x: Tensor, hoods: Neighborhoods, weight: Tensor, bias: Tensor, share: float
) -> Tensor:
    """LeakyReLU(W m + b) for every target: float32 [T, out].

    m is [self ; mean(neighbors)] for a ``weight`` [out, 2 d], and ``share`` self +
    (1 - ``share``) mean(neighbors) for one of [out, d]. ``x`` [rows, d] is what ``hoods`` read.
    """
    if has_kernels(x):
        return _MeanLayer.apply(x, weight, bias, share, torch.is_grad_enabled(), *hoods)
    return mean_layer_reference(x, hoods, weight, bias, share)


def mean_layer_reference(
    x: Tensor, hoods: Neighborhoods, weight: Tensor, bias: Tensor, share: float
) -> Tensor:
    """What ``mean_layer`` computes, in plain torch operations."""
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
            # The sign of what came out of the activation is that of what went in.
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
