"""Minibatches of training interactions with their negatives and sampled neighborhoods."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from hashgnn.data.interactions import Csr
from hashgnn.graph.bipartite import Block, Graph, NeighborSampler

Sampling = Literal["sampled", "sources", "whole"]


class Batch(NamedTuple):
    """What one step computes on.

    ``nodes`` int32: the distinct nodes of the batch, the first ``n_users`` of them users.
    ``blocks``: one (targets, neighbors) a layer, the last one's targets being ``nodes``; they read
    embeddings of all nodes, or of the distinct ``sources`` int32. ``users`` int32 [B] and
    ``items`` int32 [B, 1 + n] (the interaction's item first, then its negatives) are rows of
    ``nodes``.
    """

    nodes: Tensor
    blocks: list[tuple[Tensor, Tensor]]
    n_users: int
    users: Tensor
    items: Tensor
    sources: Tensor | None = None


class Batches:
    """All training interactions once an epoch, in an order drawn from (seed, epoch).

    One by one, or, if ``by_user``, user by user: all interactions of some users make a batch.

    Batch i of epoch e depends on the seed, e and i alone, so that a resumed training sees what
    an uninterrupted one would. Epoch e uses round e (modulo their number) of the triplets.
    Blocks are ``sampled`` with or without their ``sources``, or there are none: ``whole``.
    """

    sampling: Sampling = "sampled"

    def __init__(
        self,
        train: Csr,
        triplets: np.ndarray,
        graph: Graph,
        fanouts: Sequence[int],
        batch_size: int,
        seed: int,
        device: torch.device,
        by_user: bool = False,
    ) -> None:
        self.users = np.repeat(
            np.arange(graph.n_users, dtype=np.int32), np.diff(train.indptr).astype(np.int64)
        )
        self.items = train.indices
        self.triplets = triplets
        self.batch_size = min(batch_size, len(self.items))
        self.seed = seed
        self.device = device
        self.by_user = by_user
        self._sampler = NeighborSampler(graph, fanouts)

    def __len__(self) -> int:
        """Batches an epoch; a last one of less than half the size joins its predecessor."""
        return max(1, round(len(self.items) / self.batch_size))

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from number ``first`` on."""
        order = self._order(np.random.default_rng([self.seed, epoch]))
        negatives = self.triplets[epoch % len(self.triplets)]
        for number in range(first, len(self)):
            last = number == len(self) - 1
            start = number * self.batch_size
            rows = order[start : None if last else start + self.batch_size]
            yield self._batch(rows, negatives, epoch * len(self) + number)

    def _order(self, rng: np.random.Generator) -> np.ndarray:
        if not self.by_user:
            return rng.permutation(len(self.items))
        places = rng.permutation(self._sampler.graph.n_users).astype(np.int32)
        return np.argsort(places[self.users], kind="stable")

    def _batch(self, rows: np.ndarray, negatives: np.ndarray, iteration: int) -> Batch:
        sampler = self._sampler
        users, user_rows = sampler.distinct(self.users[rows])
        items = np.concatenate([self.items[rows, None], negatives[rows]], axis=1)
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
