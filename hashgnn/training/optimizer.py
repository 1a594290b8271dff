"""Adam, over all parameters in each step or over the embeddings that the step reads.

Kingma and Ba (2015), Adam: A Method for Stochastic Optimization, ICLR, Algorithm 1.

On a graph of millions of nodes a batch reads few of the embeddings, and updating all of them takes
most of a step. ``TouchedAdam`` leaves embeddings that a step does not read, and their moments,
unchanged, like ``torch.optim.SparseAdam``. Adam would keep moving them by their momentum;
reproducing that exactly would cost as much as it saves. If a step reads every embedding, both are
the same.
"""

import math
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from hashgnn.kernels import njit
from hashgnn.models.graph_hasher import GraphHasher


def cosine(share: float, end: float) -> float:
    """Return half a cosine from 1 to ``end`` as ``share``, the part of the training, goes 0 to 1.

    Loshchilov and Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts, Eq. 5.
    """
    return end + (1 - end) * (1 + math.cos(math.pi * share)) / 2


Updates = Literal["all", "touched", "auto"]

BETAS = (0.9, 0.999)
EPSILON = 1e-8
FEW = 0.25  # all embeddings are updated if a batch reads at least this share of them


def touches_few(updates: Updates, n_read: int, n_nodes: int) -> bool:
    """Return whether to update only embeddings that are read: ``n_read`` by the first batch."""
    return updates == "touched" or (updates == "auto" and n_read < FEW * n_nodes)


class DenseAdam:
    """Adam over all parameters of ``model``."""

    def __init__(self, model: GraphHasher, learning_rate: float) -> None:
        self._embedding = model.embedding
        self._adam = torch.optim.Adam(
            model.parameters(), lr=learning_rate, betas=BETAS, eps=EPSILON, fused=True
        )

    def set_learning_rate(self, rate: float) -> None:
        """Set the learning rate of the next steps."""
        for group in self._adam.param_groups:
            group["lr"] = rate

    def read(self, nodes: Tensor | None) -> Tensor:
        """Return all embeddings [n_nodes, d]."""
        return self._embedding

    def step(self) -> None:
        """Update by the gradients of what was read, and clear them."""
        self._adam.step()
        self._adam.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """Return the state, for a checkpoint."""
        return self._adam.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what ``state_dict`` returned."""
        self._adam.load_state_dict(state)


class TouchedAdam:
    """Adam over the embeddings that a step reads, and over all other parameters of ``model``."""

    def __init__(self, model: GraphHasher, learning_rate: float) -> None:
        self._table = model.embedding.requires_grad_(False)
        self._learning_rate = learning_rate
        others = [parameter for parameter in model.parameters() if parameter is not self._table]
        self._adam = torch.optim.Adam(
            others, lr=learning_rate, betas=BETAS, eps=EPSILON, fused=True
        )
        self._first, self._second = torch.zeros_like(self._table), torch.zeros_like(self._table)
        self._steps = 0
        self._nodes, self._read = torch.empty(0), torch.empty(0)

    def set_learning_rate(self, rate: float) -> None:
        """Set the learning rate of the next steps."""
        self._learning_rate = rate
        for group in self._adam.param_groups:
            group["lr"] = rate

    def read(self, nodes: Tensor | None) -> Tensor:
        """Return the embeddings [rows, d] of distinct ``nodes`` int [rows]."""
        assert nodes is not None
        self._nodes = nodes
        self._read = self._table[nodes.long()].requires_grad_()
        return self._read

    def step(self) -> None:
        """Update by the gradients of what was read, and clear them."""
        self._adam.step()
        self._adam.zero_grad()
        self._steps += 1
        gradient = self._read.grad
        assert gradient is not None
        moments = self._table, self._first, self._second
        update_rows(*moments, self._nodes, gradient, self._learning_rate, self._steps)

    def state_dict(self) -> dict[str, Any]:
        """Return the state, for a checkpoint."""
        table = {"first": self._first, "second": self._second, "steps": self._steps}
        return {"others": self._adam.state_dict(), "table": table}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what ``state_dict`` returned."""
        self._adam.load_state_dict(state["others"])
        self._first.copy_(state["table"]["first"])
        self._second.copy_(state["table"]["second"])
        self._steps = state["table"]["steps"]


def update_rows(
    table: Tensor,
    first: Tensor,
    second: Tensor,
    nodes: Tensor,
    gradient: Tensor,
    rate: float,
    steps: int,
) -> None:
    """Update rows of ``table`` in place by a step of Adam.

    Args:
        table: float32 [n, d].
        first: [n, d], first moments; updated too.
        second: [n, d], second moments; updated too.
        nodes: int [rows], distinct rows of ``table``.
        gradient: [rows, d].
        rate: Learning rate.
        steps: Number of the step, from 1.
    """
    size = rate / (1 - BETAS[0] ** steps)
    root = (1 - BETAS[1] ** steps) ** 0.5
    if table.device.type != "cpu":
        return update_rows_reference(table, first, second, nodes, gradient, size, root)
    _update_rows(
        table.detach().numpy(),
        first.numpy(),
        second.numpy(),
        nodes.numpy(),
        gradient.numpy(),
        np.float32(size),
        np.float32(root),
    )
    return None


def update_rows_reference(
    table: Tensor,
    first: Tensor,
    second: Tensor,
    nodes: Tensor,
    gradient: Tensor,
    size: float,
    root: float,
) -> None:
    """Update rows in plain torch operations: the reference for the kernel."""
    rows = nodes.long()
    m = first[rows].lerp(gradient, 1 - BETAS[0])
    v = BETAS[1] * second[rows] + (1 - BETAS[1]) * gradient.square()
    first[rows], second[rows] = m, v
    table[rows] -= size * m / (v.sqrt() / root + EPSILON)


_KEPT_FIRST, _KEPT_SECOND = np.float32(BETAS[0]), np.float32(BETAS[1])
_NEW_FIRST, _NEW_SECOND = np.float32(1 - BETAS[0]), np.float32(1 - BETAS[1])
_EPSILON = np.float32(EPSILON)


@njit(cache=True, fastmath={"contract"})
def _update_rows(
    table: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    nodes: np.ndarray,
    gradient: np.ndarray,
    size: np.float32,
    root: np.float32,
) -> None:
    for place in range(len(nodes)):
        node, g = nodes[place], gradient[place]
        row, m, v = table[node], first[node], second[node]
        for d in range(len(g)):
            m[d] = _KEPT_FIRST * m[d] + _NEW_FIRST * g[d]
            v[d] = _KEPT_SECOND * v[d] + _NEW_SECOND * g[d] * g[d]
            row[d] -= size * m[d] / (np.sqrt(v[d]) / root + _EPSILON)
