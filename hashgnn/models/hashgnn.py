"""HashGNN: guided straight-through codes, reconstruction and ranking loss together.

Tan et al. (2020), Learning to Hash with Graph Neural Networks for Recommender Systems, WWW.
https://arxiv.org/abs/2003.01917
"""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from hashgnn.graph.bipartite import Graph
from hashgnn.hashing.guidance import Guidance, mix, pick_by_pair
from hashgnn.hashing.progress import Progress
from hashgnn.hashing.sign import straight_through
from hashgnn.losses.ranking import bpr, margin_ranking
from hashgnn.models.graph_hasher import GraphHasher
from hashgnn.settings import require
from hashgnn.training.batches import Batch
from hashgnn.training.fit import fit_hasher
from hashgnn.training.settings import TrainingSettings
from hashgnn.training.task import Fitted, Task


@dataclass(frozen=True)
class HashGnnSettings(TrainingSettings):
    """Adds the guidance and the ranking loss: its form, its weight lambda and its margin.

    ``ranking_weight`` is the paper's lambda, of sums: a triplet weighs that much beside a pair,
    however many negatives there are. ``reconstruction_weight`` multiplies the cross-entropy: 1 in
    the paper, while the released code puts its lambda (0.1) there and leaves the ranking loss as
    it is.
    """

    guidance: Guidance = field(default_factory=Guidance)
    ranking_loss: Literal["margin", "bpr"] = "margin"
    ranking_weight: float = 0.5
    reconstruction_weight: float = 1.0
    margin: float = 0.2

    def __post_init__(self) -> None:
        """``InputError`` for what no training can be made with."""
        super().__post_init__()
        require(self, ranking_weight=0, reconstruction_weight=0, margin=0)


class HashGnn(GraphHasher):
    """The loss sees Q * z + (1 - Q) * h, where Q ~ Bernoulli(p) (Eq. 8)."""

    def __init__(self, graph: Graph, bits: int, settings: HashGnnSettings) -> None:
        super().__init__(graph, bits, settings)
        self.settings = settings

    def probability(self, progress: Progress) -> float:
        """p falls from 1 as training goes on (section 4.1)."""
        return self.settings.guidance.probability(progress)

    def batch_loss(
        self, a: Tensor, batch: Batch, progress: Progress, rng: torch.Generator
    ) -> Tensor:
        """The same for all granularities but ``pair``, where a node's draw is not its own."""
        if self.settings.guidance.granularity != "pair":
            return super().batch_loss(a, batch, progress, rng)
        z = self.continuous(a)
        p = self.probability(progress)
        rows = pick_by_pair(batch.users, batch.items, len(z), p, rng)
        return self.pair_loss(torch.cat([z, straight_through(z)]), *rows)

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """Codes h = sign(z), mixed with z."""
        guidance = self.settings.guidance
        z, p = self.continuous(a), self.probability(progress)
        return mix(z, straight_through(z), p, guidance.granularity, rng)

    def loss(self, positive: Tensor, negative: Tensor) -> Tensor:
        """L_cross + lambda * L_rank (Eq. 7), L_cross times its own weight.

        Both are sums in the paper, L_cross over 1 + n pairs and L_rank over n triplets of each
        link: here both are divided by the number of pairs, which keeps their ratio.
        """
        total = self.settings.reconstruction_weight * super().loss(positive, negative)
        if self.settings.ranking_weight == 0:
            return total
        triplets_a_pair = negative.numel() / (positive.numel() + negative.numel())
        weight = self.settings.ranking_weight * triplets_a_pair
        return total + weight * self._ranking(positive, negative)

    def _ranking(self, positive: Tensor, negative: Tensor) -> Tensor:
        if self.settings.ranking_loss == "bpr":
            return bpr(positive, negative)
        return margin_ranking(positive, negative, self.settings.margin)


SETTINGS = HashGnnSettings


def fit(task: Task) -> Fitted:
    """Train HashGNN on ``task``."""
    return fit_hasher(HashGnn, SETTINGS, task)
