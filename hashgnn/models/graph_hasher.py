"""The model that all graph hashing methods share: id embeddings, an encoder and a hash layer."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hashgnn.graph import Graph, spectral_embeddings
from hashgnn.models.encoders import Encoder, build_encoder
from hashgnn.models.losses import cross_entropy, similarity
from hashgnn.models.method import GraphParameters, Progress


class Batch(NamedTuple):
    """The inputs of one training step."""

    nodes: Tensor
    """int32 [T]: the distinct nodes of the batch, users first."""

    blocks: list[tuple[Tensor, Tensor]]
    """A pair (targets [T'], neighbors [T', fanout]) per layer; the last one's targets are
    ``nodes``. They index the embeddings of all nodes, or of ``sources``."""

    n_users: int
    """How many of ``nodes`` are users."""

    users: Tensor
    """int [B]: rows of ``nodes``."""

    items: Tensor
    """int [B, 1 + n]: rows of ``nodes``; the interaction's item first, then its negatives."""

    sources: Tensor | None = None
    """int32: the distinct nodes whose embeddings the blocks read, where they were collected."""


class Embedded(NamedTuple):
    """The representation of nodes by a method."""

    vectors: Tensor
    """float [rows, d]: the continuous vectors."""

    hashed: Tensor
    """float [rows, bits]: values whose signs are the codes; often the vectors themselves."""

    def split(self, n: int) -> "tuple[Embedded, Embedded]":
        """Return the first ``n`` rows (users) and the others (items)."""
        return Embedded(*(t[:n] for t in self)), Embedded(*(t[n:] for t in self))

    def codes(self) -> np.ndarray:
        """Return the packed codes: uint8 [rows, ceil(bits / 8)]."""
        return pack(self.hashed.cpu().numpy())

    def array(self) -> np.ndarray:
        """Return the vectors: float32 [rows, d]."""
        return self.vectors.cpu().numpy()


class FeatureEmbeddings(nn.Module):
    """Mean embeddings of the hashed features of nodes, which are added to their id embeddings.

    A node without interactions has its features alone, as its id embedding is not trained.
    """

    starts: Tensor
    buckets: Tensor
    by_id: Tensor

    def __init__(self, graph: Graph, width: int, parameters: GraphParameters) -> None:
        super().__init__()
        assert graph.features is not None
        starts, hashes = graph.features
        self.cold_share = parameters.cold_share
        self.table = nn.Parameter(torch.empty(parameters.feature_buckets, width))
        nn.init.normal_(self.table, std=parameters.initial_deviation)
        buckets = (hashes % np.uint64(parameters.feature_buckets)).astype(np.int64)
        alone = graph.isolated() & (np.diff(starts) > 0)
        for name, array in (("starts", starts), ("buckets", buckets), ("by_id", ~alone)):
            self.register_buffer(name, torch.from_numpy(array.copy()), persistent=False)

    def forward(self, nodes: Tensor | None = None) -> Tensor:
        """Return the mean embedding of the features of ``nodes`` [T], or of all: [T, width]."""
        if nodes is None:
            return self._means(self.buckets, self.starts)
        rows = nodes.long()
        first, sizes = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        ends = functional.pad(sizes.cumsum(0), (1, 0))
        places = torch.arange(int(ends[-1]), device=ends.device)
        return self._means(
            self.buckets[places + (first - ends[:-1]).repeat_interleave(sizes)], ends
        )

    def added(self, embeddings: Tensor, nodes: Tensor | None) -> Tensor:
        """Return ``embeddings`` plus those of features; the latter alone without interactions."""
        by_id = self.by_id if nodes is None else self.by_id[nodes.long()]
        return embeddings * by_id[:, None] + self(nodes)

    def draw(self, nodes: Tensor, rng: torch.Generator) -> Tensor:
        """Return rows of ``nodes``: each that has features, with probability ``cold_share``."""
        drawn = torch.rand(len(nodes), generator=rng, device=nodes.device) < self.cold_share
        rows = nodes.long()
        return (drawn & (self.starts[rows + 1] > self.starts[rows])).nonzero().flatten()

    def _means(self, buckets: Tensor, starts: Tensor) -> Tensor:
        return functional.embedding_bag(
            buckets, self.table, starts, mode="mean", include_last_offset=True
        )


class GraphHasher(nn.Module, ABC):
    """z = tanh(a), a = W encoder(x) + b, for every user and item (paper, Eq. 1 and 2).

    A method is a subclass that defines what its loss sees of the pre-activation a
    (``training_codes``), which losses it has (``loss``), and the searches by whose validation
    recall the best epoch is chosen (``selected_by``). Codes are the signs of z, hence of a.
    """

    selected_by: Sequence[str] = ("hamming", "hierarchical")

    def __init__(self, graph: Graph, bits: int, parameters: GraphParameters) -> None:
        super().__init__()
        self.n_users = graph.n_users
        self.scale = parameters.scale_of(bits)
        self.hops = len(parameters.fanouts)
        self.embedding = nn.Parameter(torch.empty(graph.n_nodes, parameters.embedding_width))
        self.encoder: Encoder = build_encoder(parameters, graph)
        self.user_hash: nn.Module = nn.Linear(self.encoder.width, bits)
        self.item_hash: nn.Module = nn.Linear(self.encoder.width, bits)
        if parameters.shared_hash_layer:
            self.item_hash = self.user_hash
        self._initialize(parameters)
        if parameters.initial_embeddings == "spectral":
            start = torch.from_numpy(spectral_embeddings(graph, parameters.embedding_width))
            self.embedding.data = parameters.initial_deviation * start
        if not parameters.user_embeddings:
            self._drop_user_embeddings()
        self.features: FeatureEmbeddings | None = None
        if graph.features is not None:
            self.features = FeatureEmbeddings(graph, self.embedding.shape[1], parameters)

    def forward(
        self,
        x: Tensor,
        blocks: Sequence[tuple[Tensor, Tensor]],
        n_users: int,
        nodes: Tensor | None = None,
    ) -> Tensor:
        """Propagate over sampled neighbors.

        Args:
            x: Embeddings of all nodes, or of ``nodes``.
            blocks: See ``Batch``.
            n_users: How many of the last block's targets are users; they come first.
            nodes: The nodes of the rows of ``x``, if not all.

        Returns:
            a [T, bits] of the last block's targets.
        """
        return self._hash(self.encoder(x, blocks, nodes), n_users)

    def inputs(self, embeddings: Tensor, nodes: Tensor | None = None) -> Tensor:
        """Return the encoder's input: ``embeddings``, plus those of features if there are any.

        ``nodes``: int [rows], those of the rows of ``embeddings``, if not all.
        """
        return embeddings if self.features is None else self.features.added(embeddings, nodes)

    def with_cold_nodes(self, a: Tensor, batch: Batch, rng: torch.Generator) -> Tensor:
        """Replace rows of ``a`` [T, bits] by those of the same nodes without interactions.

        A node with features is drawn with the probability ``cold_share``; others stay.
        """
        if self.features is None:
            return a
        rows = self.features.draw(batch.nodes, rng)
        if not len(rows):
            return a
        n_users = int((rows < batch.n_users).sum())
        return a.index_copy(0, rows, self.forward_cold(batch.nodes[rows], n_users))

    def forward_cold(self, nodes: Tensor, n_users: int) -> Tensor:
        """Return a [T, bits] of ``nodes`` [T], users first, from their features alone.

        They are their own neighbors, as nodes without interactions are.
        """
        assert self.features is not None
        x = self.features(nodes)
        rows = torch.arange(len(x), dtype=torch.int32, device=x.device)
        return self.forward(x, [(rows, rows[:, None])] * self.hops, n_users, nodes)

    def forward_whole(self, x: Tensor, graph: Graph, nodes: Tensor, n_users: int) -> Tensor:
        """Return a [T, bits] of ``nodes`` [T] from whole neighborhoods; ``x``: all embeddings."""
        return self._hash(self.encoder.propagate(x, graph, nodes), n_users)

    @torch.no_grad()
    def propagate(self, graph: Graph) -> Embedded:
        """Return the vectors and codes of all nodes, from whole neighborhoods."""
        u = self.encoder.propagate(self.inputs(self.embedding), graph)
        return self.embedded(self._hash(u, self.n_users))

    def embedded(self, a: Tensor) -> Embedded:
        """Return vectors and codes for the pre-activation; by default both are those of z."""
        z = self.continuous(a)
        return Embedded(z, z)

    def continuous(self, a: Tensor) -> Tensor:
        """Return z, the continuous vectors [rows, bits], for the pre-activation."""
        return torch.tanh(a)

    @abstractmethod
    def probability(self, progress: Progress) -> float:
        """Return the probability p that the loss sees continuous values in the next iteration."""

    @abstractmethod
    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """Return the values that the loss sees as codes: [T, bits], for ``a`` [T, bits]."""

    def batch_loss(
        self, a: Tensor, batch: Batch, progress: Progress, rng: torch.Generator
    ) -> Tensor:
        """Return the scalar loss of a batch, for ``a`` of its nodes."""
        return self.pair_loss(self.training_codes(a, progress, rng), batch.users, batch.items)

    def pair_loss(self, codes: Tensor, users: Tensor, items: Tensor) -> Tensor:
        """Return the scalar loss of pairs of rows of ``codes``, each user's positive first."""
        similarities = similarity(codes, users, items, self.scale)
        return self.loss(similarities[:, 0], similarities[:, 1:])

    def loss(self, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the scalar loss of similarities ``positive`` [B] and ``negative`` [B, n]."""
        return cross_entropy(positive, negative)

    def weigh_items(self, totals: Tensor) -> None:
        """Take the sum of the weights of each item's interactions, float64 [items].

        For losses that correct for how often batches hold an item.
        """

    def _hash(self, u: Tensor, n_users: int) -> Tensor:
        return torch.cat([self.user_hash(u[:n_users]), self.item_hash(u[n_users:])])

    def _drop_user_embeddings(self) -> None:
        """Set the users' embeddings to 0 and keep them there."""
        with torch.no_grad():
            self.embedding[: self.n_users] = 0
        self.embedding.register_hook(self._without_users)

    def _without_users(self, gradient: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(gradient[: self.n_users]), gradient[self.n_users :]])

    def _initialize(self, parameters: GraphParameters) -> None:
        for name, weight in self.named_parameters():
            if name.startswith("encoder.") and self.encoder.draws_weights:
                continue
            if weight.dim() == 1:
                nn.init.zeros_(weight)
            elif name == "embedding" or parameters.initialization == "normal":
                nn.init.normal_(weight, std=parameters.initial_deviation)
            else:
                nn.init.xavier_uniform_(weight)


def sign(z: Tensor) -> Tensor:
    """Return +1 where ``z`` >= 0, else -1 (paper, Eq. 3); never 0, unlike ``torch.sign``."""
    return torch.where(z >= 0, 1.0, -1.0).to(z.dtype)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        return sign(z)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


def straight_through(z: Tensor) -> Tensor:
    """Return the sign, with the gradient of the identity (Bengio et al. 2013; paper, section 4)."""
    return _StraightThrough.apply(z)


def pack(z: np.ndarray) -> np.ndarray:
    """Pack the signs of values into codes.

    Args:
        z: float [rows, K].

    Returns:
        uint8 [rows, ceil(K / 8)]: bit k of a code is bit k % 8 of byte k // 8, and is 1 where
        z >= 0; the bits beyond K are 0.
    """
    return np.packbits(z >= 0, axis=1, bitorder="little")
