"""Minibatches of training interactions with their negatives and sampled neighborhoods."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from hashgnn.data.interactions import Csr
from hashgnn.data.negatives import DrawnNegatives
from hashgnn.graph import Block, NeighborSampler
from hashgnn.models.graph_hasher import Batch

Sampling = Literal["sampled", "sources", "whole"]


class Batches:
    """All training interactions once per epoch, in an order drawn from (seed, epoch).

    Batch i of epoch e depends on the seed, e and i alone, so that a resumed training sees the same
    batches as an uninterrupted one.

    Args:
        train: The training interactions.
        negatives: int32 [rounds, interactions, n], or what draws them when they are asked for;
            epoch e uses round e modulo their number.
        sampler: Samples neighbors from the graph.
        batch_size: Interactions per batch.
        seed: Seed of the order and of the neighbors.
        device: Where the batches' tensors are put.
        by_user: Order interactions by user, so that a batch holds all those of some users.

    Attributes:
        sampling: ``sampled`` blocks that index all nodes; blocks that index the distinct
            ``sources``; or none, for propagation over ``whole`` neighborhoods.
        weight: float64 [interactions], in proportion to which an epoch takes interactions; None to
            take each once.
        in_place_of: int32 [items], the item to take in place of each negative; None for the
            negative itself.
    """

    sampling: Sampling = "sampled"
    weight: np.ndarray | None = None
    in_place_of: np.ndarray | None = None

    def __init__(
        self,
        train: Csr,
        negatives: np.ndarray | DrawnNegatives,
        sampler: NeighborSampler,
        batch_size: int,
        seed: int,
        device: torch.device,
        by_user: bool = False,
    ) -> None:
        self.users = np.repeat(
            np.arange(sampler.graph.n_users, dtype=np.int32),
            np.diff(train.indptr).astype(np.int64),
        )
        self.items = train.indices
        self.negatives = negatives
        self.batch_size = min(batch_size, len(self.items))
        self.seed = seed
        self.device = device
        self.by_user = by_user
        self._sampler = sampler

    def __len__(self) -> int:
        """Return the batches per epoch; a rest of less than half a batch joins the last one."""
        return max(1, round(len(self.items) / self.batch_size))

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch from number ``first`` on."""
        order = self._order(np.random.default_rng([self.seed, epoch]))
        round_ = epoch % len(self.negatives)
        for number in range(first, len(self)):
            last = number == len(self) - 1
            start = number * self.batch_size
            rows = order[start : None if last else start + self.batch_size]
            yield self._batch(rows, round_, epoch * len(self) + number)

    def _order(self, rng: np.random.Generator) -> np.ndarray:
        if not self.by_user:
            order = rng.permutation(len(self.items))
            return order if self.weight is None else self._by_weight(self.weight, rng)[order]
        places = rng.permutation(self._sampler.graph.n_users).astype(np.int32)
        if self.weight is None:
            return np.argsort(places[self.users], kind="stable")
        taken = self._by_weight(self.weight, rng)
        return taken[np.argsort(places[self.users[taken]], kind="stable")]

    def _by_weight(self, weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return as many rows as there are interactions, ascending, drawn by systematic sampling.

        A row occurs as often as its share of all weights says, rounded up or down at random, so
        that the loss of an epoch is, in expectation, that of weighted interactions. Equal weights
        give each row once.
        """
        ends = np.cumsum(weight) * (len(weight) / weight.sum())
        places = np.arange(len(weight)) + rng.uniform(1e-6, 1 - 1e-6)
        return np.minimum(np.searchsorted(ends, places, side="right"), len(weight) - 1)

    def _batch(self, rows: np.ndarray, round_: int, iteration: int) -> Batch:
        sampler = self._sampler
        users, user_rows = sampler.distinct(self.users[rows])
        negatives = self.negatives[round_, rows]
        if self.in_place_of is not None:
            negatives = self.in_place_of[negatives]
        items = np.concatenate([self.items[rows, None], negatives], axis=1)
        items, item_rows = sampler.distinct(items + np.int32(sampler.graph.n_users))
        targets = np.concatenate([users, items])
        key = int(np.random.default_rng([self.seed, iteration]).integers(1 << 62))
        blocks, sources = self._blocks(targets, key)
        return Batch(
            self._tensor(targets),
            [(self._tensor(rows), self._tensor(drawn)) for rows, drawn in blocks],
            len(users),
            self._tensor(user_rows),
            self._tensor(item_rows.reshape(len(rows), -1) + np.int32(len(users))),
            None if sources is None else self._tensor(sources),
        )

    def _blocks(self, targets: np.ndarray, key: int) -> tuple[list[Block], np.ndarray | None]:
        if self.sampling == "whole":
            return [], None
        if self.sampling == "sources":
            return self._sampler.local_blocks(targets, key)
        return self._sampler.blocks(targets, key), None

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device)
