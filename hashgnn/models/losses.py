"""Losses over links and sampled non-links, and the similarities that they take.

All losses take logits: ``positive`` [B], one per link, and ``negative`` [B, n], those of the same
user with its n negatives.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hashgnn.kernels import njit


def cross_entropy(positive: Tensor, negative: Tensor) -> Tensor:
    """Return the mean sigmoid cross-entropy over links and non-links (paper, Eq. 5)."""
    linked = functional.softplus(-positive).sum()
    unlinked = functional.softplus(negative).sum()
    return (linked + unlinked) / (positive.numel() + negative.numel())


def margin_ranking(positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """Return the mean of max(0, -sigma(s+) + sigma(s-) + margin) over triplets (paper, Eq. 6)."""
    gap = negative.sigmoid() - positive.sigmoid().unsqueeze(1)
    return functional.relu(gap + margin).mean()


def bpr(positive: Tensor, negative: Tensor) -> Tensor:
    """Return the mean of softplus(s- - s+) over triplets (Rendle et al. 2009)."""
    return functional.softplus(negative - positive.unsqueeze(1)).mean()


def similarity(codes: Tensor, users: Tensor, items: Tensor, scale: float) -> Tensor:
    """Return ``scale`` times the inner product of each pair of rows (paper, Eq. 4).

    Args:
        codes: [T, K], one row per distinct node.
        users: int [B], rows of ``codes``.
        items: int [B, m], rows of ``codes``.
        scale: Factor of the inner product.

    Returns:
        [B, m], differentiable with respect to ``codes``.
    """
    if codes.device.type == "cpu" and codes.dtype == torch.float32:
        return _Similarity.apply(codes, users, items, scale)
    return similarity_reference(codes, users, items, scale)


def similarity_reference(codes: Tensor, users: Tensor, items: Tensor, scale: float) -> Tensor:
    """Compute ``similarity`` in plain torch operations: the reference for the kernels."""
    return scale * torch.einsum("bk,bmk->bm", codes[users.long()], codes[items.long()])


class _Similarity(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, codes: Tensor, users: Tensor, items: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(codes, users, items)
        ctx.scale = scale
        out = torch.empty(items.shape)
        rows = codes.detach().contiguous().numpy()
        _inner(rows, users.numpy(), items.numpy(), np.float32(scale), out.numpy())
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        codes, users, items = ctx.saved_tensors
        out = torch.zeros(codes.shape)
        weights = (ctx.scale * gradients[0]).contiguous().numpy()
        rows = codes.detach().contiguous().numpy()
        _inner_gradient(rows, users.numpy(), items.numpy(), weights, out.numpy())
        return out, None, None, None


@njit(cache=True, fastmath={"contract", "reassoc"})
def _inner(
    codes: np.ndarray, users: np.ndarray, items: np.ndarray, scale: np.float32, out: np.ndarray
) -> None:
    for row in range(len(users)):
        user = codes[users[row]]
        for column in range(items.shape[1]):
            item = codes[items[row, column]]
            total = np.float32(0)
            for k in range(len(user)):
                total += user[k] * item[k]
            out[row, column] = scale * total


@njit(cache=True, fastmath={"contract"})
def _inner_gradient(
    codes: np.ndarray, users: np.ndarray, items: np.ndarray, weights: np.ndarray, out: np.ndarray
) -> None:
    for row in range(len(users)):
        user, user_sink = codes[users[row]], out[users[row]]
        for column in range(items.shape[1]):
            weight = weights[row, column]
            item, item_sink = codes[items[row, column]], out[items[row, column]]
            for k in range(len(user)):
                user_sink[k] += weight * item[k]
                item_sink[k] += weight * user[k]
