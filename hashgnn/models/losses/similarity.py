"""Similarities of the pairs of a batch: scaled inner products, with their gradient."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from hashgnn.kernels import njit


def similarity(codes: Tensor, users: Tensor, items: Tensor, scale: float) -> Tensor:
    """``scale`` * <code of the user, code of the item> for each pair (paper, Eq. 4).

    ``codes`` [T, K] one row a distinct node; ``users`` int [B] and ``items`` int [B, m] are its
    rows; returns [B, m].
    """
    if codes.device.type == "cpu" and codes.dtype == torch.float32:
        return _Similarity.apply(codes, users, items, scale)
    return similarity_reference(codes, users, items, scale)


def similarity_reference(codes: Tensor, users: Tensor, items: Tensor, scale: float) -> Tensor:
    """What ``similarity`` computes, in plain torch operations."""
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
