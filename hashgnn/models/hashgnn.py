"""HashGNN: guided straight-through codes, reconstruction and ranking loss together.

Tan et al. (2020), Learning to Hash with Graph Neural Networks for Recommender Systems, WWW.
https://arxiv.org/abs/2003.01917
"""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from hashgnn.config.settings import at_most, require
from hashgnn.graph.bipartite import Graph
from hashgnn.models.base import GraphHasher
from hashgnn.models.hashing import Progress, Unit, straight_through
from hashgnn.models.losses.ranking import bpr, margin_ranking
from hashgnn.models.settings import TrainingSettings
from hashgnn.models.task import Fitted, Task
from hashgnn.training.batches import Batch
from hashgnn.training.fit import fit_hasher

Granularity = Literal["element", "row", "pair"]


@dataclass(frozen=True)
class Guidance:
    """Probability p of showing the loss the continuous value, and what one draw covers.

    p falls from ``start`` by ``step`` each ``every`` ``unit``, never below ``floor``. A schedule
    in epochs keeps its course when the size of the batch changes.
    ``granularity``: a draw for each ``element`` (paper), each ``row``, or, as in the authors'
    code, each ``pair``: one for a user and its positive item, one for each negative item.
    """

    start: float = 1.0
    step: float = 0.05
    every: float = 250
    unit: Unit = "iterations"
    floor: float = 0.0
    granularity: Granularity = "element"

    def __post_init__(self) -> None:
        """``InputError`` for what makes no schedule."""
        require(self, every=0.001, start=0, step=0, floor=0)
        at_most(self, start=1, floor=1)

    def probability(self, progress: Progress) -> float:
        """p for the iteration that comes next."""
        return max(self.floor, self.start - self.step * progress.steps(self.every, self.unit))


def mix(z: Tensor, h: Tensor, p: float, granularity: Granularity, rng: torch.Generator) -> Tensor:
    """Q * z + (1 - Q) * h with Q ~ Bernoulli(p) (paper, Eq. 8); ``z`` and ``h`` are [rows, K]."""
    shape = z.shape if granularity == "element" else (len(z), 1)
    kept = torch.rand(shape, generator=rng, device=z.device) < p
    return torch.where(kept, z, h)


def pick_by_pair(
    users: Tensor, items: Tensor, n_rows: int, p: float, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Rows of [z ; h] ([2 n_rows, K]) instead of rows of z, by one draw a pair.

    ``users`` int [B] and ``items`` int [B, 1 + n], the positive first. A user and its positive
    take both z, with probability ``p``, or both h; each negative draws for itself.
    """
    binary = torch.rand(items.shape, generator=rng, device=items.device) >= p
    offsets = (n_rows * binary).to(items.dtype)
    return users + offsets[:, 0], items + offsets


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
