"""HashGNN: guided straight-through codes, trained with cross-entropy and a ranking loss.

Tan et al. (2020), Learning to Hash with Graph Neural Networks for Recommender Systems, WWW.
https://arxiv.org/abs/2003.01917
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from hashgnn.config.base import Section
from hashgnn.graph import Graph
from hashgnn.models.graph_hasher import Batch, GraphHasher, straight_through
from hashgnn.models.losses import bpr, margin_ranking
from hashgnn.models.method import GraphMethod, GraphParameters, Progress, Unit

Granularity = Literal["element", "row", "pair"]


class Guidance(Section):
    """Schedule of p, the probability that the loss sees the continuous value.

    A schedule in epochs stays the same when the batch size changes.
    """

    start: float = Field(default=1.0, ge=0, le=1)
    """p at the start."""

    step: float = Field(default=0.05, ge=0)
    """How far p falls each time."""

    every: float = Field(default=250, ge=0.001)
    """How often p falls, in ``unit``."""

    unit: Unit = "iterations"
    """Unit of ``every``."""

    floor: float = Field(default=0.0, ge=0, le=1)
    """Smallest p."""

    granularity: Granularity = "element"
    """What one draw covers: an ``element`` (paper), a ``row``, or, as in the authors' code, a
    ``pair``: one draw for a user and its positive item, one for each negative item."""

    def probability(self, progress: Progress) -> float:
        """Return p for the next iteration."""
        return max(self.floor, self.start - self.step * progress.steps(self.every, self.unit))


def mix(z: Tensor, h: Tensor, p: float, granularity: Granularity, rng: torch.Generator) -> Tensor:
    """Return Q * z + (1 - Q) * h with Q ~ Bernoulli(p) (paper, Eq. 8), all [rows, K]."""
    shape = z.shape if granularity == "element" else (len(z), 1)
    kept = torch.rand(shape, generator=rng, device=z.device) < p
    return torch.where(kept, z, h)


def pick_by_pair(
    users: Tensor, items: Tensor, n_rows: int, p: float, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Choose rows of [z ; h], which is [2 n_rows, K], by one draw per pair.

    A user and its positive item both use z, with probability ``p``, or both use h; each negative
    has a draw of its own.

    Args:
        users: int [B], rows of z.
        items: int [B, 1 + n], rows of z, the positive first.
        n_rows: Number of rows of z.
        p: Probability of z.
        rng: Generator of the draws.

    Returns:
        ``users`` and ``items``, increased by ``n_rows`` where h was drawn.
    """
    binary = torch.rand(items.shape, generator=rng, device=items.device) >= p
    offsets = (n_rows * binary).to(items.dtype)
    return users + offsets[:, 0], items + offsets


class Parameters(GraphParameters):
    """Adds the guidance and the ranking loss."""

    guidance: Guidance = Guidance()
    """Schedule and granularity of the guidance."""

    ranking_loss: Literal["margin", "bpr"] = "margin"
    """Ranking loss: the paper's, or the logistic one of the authors' code."""

    ranking_weight: float = Field(default=0.5, ge=0)
    """The paper's lambda, the weight of a triplet relative to a pair, for any number of
    negatives."""

    reconstruction_weight: float = Field(default=1.0, ge=0)
    """Factor of the cross-entropy: 1 in the paper; the authors' code has its lambda (0.1) here and
    no factor of the ranking loss."""

    margin: float = Field(default=0.2, ge=0)
    """Margin of the ranking loss ``margin``."""

    asymmetric_weight: float = Field(default=0.0, ge=0)
    """Weight of the same loss, added, of users' continuous values and items' codes, which trains
    for asymmetric search; 0 in the paper."""


class HashGnnModel(GraphHasher):
    """The loss sees Q * z + (1 - Q) * h, where Q ~ Bernoulli(p) (Eq. 8)."""

    def __init__(self, graph: Graph, bits: int, parameters: Parameters) -> None:
        super().__init__(graph, bits, parameters)
        self.hyper_parameters = parameters
        if parameters.asymmetric_weight:
            self.selected_by = ("hamming", "asymmetric")

    def probability(self, progress: Progress) -> float:
        """Return p, which falls during training (section 4.1)."""
        return self.hyper_parameters.guidance.probability(progress)

    def batch_loss(
        self, a: Tensor, batch: Batch, progress: Progress, rng: torch.Generator
    ) -> Tensor:
        """Return the loss of the guided codes, and the weighted one of asymmetric similarities."""
        total = self._guided_loss(a, batch, progress, rng)
        if weight := self.hyper_parameters.asymmetric_weight:
            z = self.continuous(a)
            rows = torch.cat([z, straight_through(z)])
            total = total + weight * self.pair_loss(rows, batch.users, batch.items + len(z))
        return total

    def _guided_loss(
        self, a: Tensor, batch: Batch, progress: Progress, rng: torch.Generator
    ) -> Tensor:
        """Return the paper's loss; with granularity ``pair`` a node has as many draws as pairs."""
        if self.hyper_parameters.guidance.granularity != "pair":
            return super().batch_loss(a, batch, progress, rng)
        z = self.continuous(a)
        p = self.probability(progress)
        rows = pick_by_pair(batch.users, batch.items, len(z), p, rng)
        return self.pair_loss(torch.cat([z, straight_through(z)]), *rows)

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """Return codes h = sign(z), mixed with z."""
        guidance = self.hyper_parameters.guidance
        z, p = self.continuous(a), self.probability(progress)
        return mix(z, straight_through(z), p, guidance.granularity, rng)

    def loss(self, positive: Tensor, negative: Tensor) -> Tensor:
        """Return L_cross + lambda * L_rank (Eq. 7), L_cross times its own weight.

        In the paper both are sums, over 1 + n pairs and over n triplets per link. Here both are
        divided by the number of pairs, which keeps their ratio.
        """
        total = self.hyper_parameters.reconstruction_weight * super().loss(positive, negative)
        if self.hyper_parameters.ranking_weight == 0:
            return total
        triplets_a_pair = negative.numel() / (positive.numel() + negative.numel())
        weight = self.hyper_parameters.ranking_weight * triplets_a_pair
        return total + weight * self._ranking(positive, negative)

    def _ranking(self, positive: Tensor, negative: Tensor) -> Tensor:
        if self.hyper_parameters.ranking_loss == "bpr":
            return bpr(positive, negative)
        return margin_ranking(positive, negative, self.hyper_parameters.margin)


METHOD = GraphMethod(Parameters, HashGnnModel)
