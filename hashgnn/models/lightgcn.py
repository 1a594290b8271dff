"""LightGCN: the mean of smoothed embeddings, trained by the Bayesian personalized ranking loss.

    r = (x + A x + ... + A^L x) / (L + 1)
    loss = softplus(<r_u, r_j> - <r_u, r_i>) + (lambda / 2) (|x_u|^2 + |x_i|^2 + |x_j|^2)

He, Deng, Wang, Li, Zhang and Wang (2020), LightGCN: Simplifying and Powering Graph Convolution
Network for Recommendation, SIGIR, Eq. 3, 4 and 15. https://arxiv.org/abs/2002.02126. A is the
training graph with weights 1 / sqrt(d_i d_j); user u, item i and negative j are a triplet. Every
step propagates over whole neighborhoods. Without layers this is matrix factorization.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from hashgnn.config.settings import require
from hashgnn.graph.bipartite import Graph
from hashgnn.models.base import GraphHasher
from hashgnn.models.encoders import lightgcn
from hashgnn.models.encoders.identity import Identity
from hashgnn.models.hashing import Progress
from hashgnn.models.losses.ranking import bpr
from hashgnn.models.losses.similarity import similarity
from hashgnn.models.settings import TrainingSettings
from hashgnn.models.task import Fitted, Task
from hashgnn.training.batches import Batch
from hashgnn.training.fit import fit_hasher


@dataclass(frozen=True)
class LightGcnSettings(TrainingSettings):
    """Adds the number of layers and lambda, the weight of the embeddings' squared length."""

    layers: int = 3
    regularization: float = 1e-4

    def __post_init__(self) -> None:
        """``InputError`` for what no training can be made with."""
        super().__post_init__()
        require(self, layers=0, regularization=0)


class LightGcn(GraphHasher):
    """Has no hash layer: representations are the continuous vectors."""

    selected_by: ClassVar[Sequence[str]] = ("continuous",)

    def __init__(self, graph: Graph, bits: int, settings: LightGcnSettings) -> None:
        super().__init__(graph, bits, settings)
        self.settings = settings
        layers = settings.layers
        self.encoder = lightgcn.LightGcn(bits, layers, graph) if layers else Identity(bits)
        self.user_hash = self.item_hash = nn.Identity()

    def forward_whole(self, x: Tensor, graph: Graph, nodes: Tensor, n_users: int) -> Tensor:
        """Representations [T, d] of the batch's nodes beside their embeddings: [T, 2 d]."""
        return torch.cat([self.encoder.propagate(x, graph, nodes), x[nodes.long()]], dim=1)

    def continuous(self, a: Tensor) -> Tensor:
        """The representations as they are."""
        return a

    def probability(self, progress: Progress) -> float:
        """Always 1."""
        return 1.0

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """The representations."""
        return a.chunk(2, dim=1)[0]

    def batch_loss(
        self, a: Tensor, batch: Batch, progress: Progress, rng: torch.Generator
    ) -> Tensor:
        """The ranking loss and the penalty, each the mean over triplets."""
        (u, x), users, items = a.chunk(2, dim=1), batch.users, batch.items
        scores = similarity(u.contiguous(), users, items, self.scale)
        ranking = bpr(scores[:, 0], scores[:, 1:])
        return ranking + self.settings.regularization / 2 * squared_length(x, users, items)


def squared_length(x: Tensor, users: Tensor, items: Tensor) -> Tensor:
    """Mean over triplets of |x_u|^2 + |x_i|^2 + |x_j|^2; row numbers as in ``Batch``."""
    lengths = x.square().sum(1)
    of_items = lengths[items.long()]
    return (lengths[users.long()] + of_items[:, 0]).mean() + of_items[:, 1:].mean()


SETTINGS = LightGcnSettings
FIXED = {"encoder": lightgcn.__name__, "fanouts": [1], "engine": "full"}  # no sampled neighbors


def fit(task: Task) -> Fitted:
    """Train LightGCN on ``task``."""
    whole = {**FIXED, "embedding_width": task.bits}
    task = replace(task, parameters={**task.parameters, **whole})
    return fit_hasher(LightGcn, SETTINGS, task)
