"""What all graph hashing methods share: id embeddings, an encoder and the hash layer."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from hashgnn.evaluation.representation import Representation
from hashgnn.graph.bipartite import Graph
from hashgnn.models.encoders.base import Encoder, build_encoder
from hashgnn.models.hashing import Progress, pack
from hashgnn.models.losses.reconstruction import cross_entropy
from hashgnn.models.losses.similarity import similarity
from hashgnn.models.settings import TrainingSettings
from hashgnn.training.batches import Batch


class Embedded(NamedTuple):
    """Nodes as a method represents them.

    ``vectors`` [rows, d] are the continuous ones; the codes are the signs of ``hashed``
    [rows, bits], which most methods have the same for.
    """

    vectors: Tensor
    hashed: Tensor

    def split(self, n: int) -> "tuple[Embedded, Embedded]":
        """The first ``n`` rows (users) and the others (items)."""
        return Embedded(*(t[:n] for t in self)), Embedded(*(t[n:] for t in self))

    def codes(self) -> np.ndarray:
        """Packed: uint8 [rows, ceil(bits / 8)]."""
        return pack(self.hashed.cpu().numpy())

    def array(self) -> np.ndarray:
        """The vectors: float32 [rows, d]."""
        return self.vectors.cpu().numpy()

    def encoded(self) -> Representation:
        """Both, as a search takes them."""
        return Representation(self.codes(), self.array())


class GraphHasher(nn.Module, ABC):
    """z = tanh(a), a = W encoder(x) + b, for every user and item (paper, Eq. 1 and 2).

    A method is a subclass that says what its loss sees of the pre-activation a
    (``training_codes``), which losses it has (``loss``), and by which searches its validation HR
    chooses the best epoch. Codes are the signs of z, hence of a.
    """

    selected_by: ClassVar[Sequence[str]] = ("hamming", "hierarchical")

    def __init__(self, graph: Graph, bits: int, settings: TrainingSettings) -> None:
        super().__init__()
        self.n_users = graph.n_users
        self.scale = settings.scale_of(bits)
        self.embedding = nn.Parameter(torch.empty(graph.n_nodes, settings.embedding_width))
        self.encoder: Encoder = build_encoder(settings, graph)
        self.user_hash: nn.Module = nn.Linear(self.encoder.width, bits)
        self.item_hash: nn.Module = nn.Linear(self.encoder.width, bits)
        if settings.shared_hash_layer:
            self.item_hash = self.user_hash
        self._initialize(settings)
        if not settings.user_embeddings:
            self._forget_users()

    def forward(
        self,
        x: Tensor,
        blocks: Sequence[tuple[Tensor, Tensor]],
        n_users: int,
        nodes: Tensor | None = None,
    ) -> Tensor:
        """a [T, bits] of the last block's targets, of which the first ``n_users`` are users.

        ``x``: the embeddings of all nodes, or of ``nodes``.
        """
        return self._hash(self.encoder(x, blocks, nodes), n_users)

    def forward_whole(self, x: Tensor, graph: Graph, nodes: Tensor, n_users: int) -> Tensor:
        """a [T, bits] of ``nodes`` [T] from their whole neighborhoods; ``x``: all embeddings."""
        return self._hash(self.encoder.propagate(x, graph, nodes), n_users)

    @torch.no_grad()
    def propagate(self, graph: Graph) -> Embedded:
        """All nodes, from their whole neighborhoods."""
        u = self.encoder.propagate(self.embedding, graph)
        return self.embedded(self._hash(u, self.n_users))

    def embedded(self, a: Tensor) -> Embedded:
        """Vectors and codes from the pre-activation: both are z's."""
        z = self.continuous(a)
        return Embedded(z, z)

    def continuous(self, a: Tensor) -> Tensor:
        """z from the pre-activation: the continuous vectors, [rows, bits]."""
        return torch.tanh(a)

    @abstractmethod
    def probability(self, progress: Progress) -> float:
        """Probability p that the loss sees the continuous value in the next iteration."""

    @abstractmethod
    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """What stands for the codes in the loss: [T, bits], from ``a`` of the same shape."""

    def batch_loss(
        self, a: Tensor, batch: Batch, progress: Progress, rng: torch.Generator
    ) -> Tensor:
        """Scalar loss of a batch, from ``a`` of its nodes."""
        return self.pair_loss(self.training_codes(a, progress, rng), batch.users, batch.items)

    def pair_loss(self, codes: Tensor, users: Tensor, items: Tensor) -> Tensor:
        """Scalar loss of pairs of rows of ``codes``, each user's positive first."""
        similarities = similarity(codes, users, items, self.scale)
        return self.loss(similarities[:, 0], similarities[:, 1:])

    def loss(self, positive: Tensor, negative: Tensor) -> Tensor:
        """Scalar loss of similarities ``positive`` [B] and ``negative`` [B, n]."""
        return cross_entropy(positive, negative)

    def _hash(self, u: Tensor, n_users: int) -> Tensor:
        return torch.cat([self.user_hash(u[:n_users]), self.item_hash(u[n_users:])])

    def _forget_users(self) -> None:
        """Users' embeddings are 0 and stay so."""
        with torch.no_grad():
            self.embedding[: self.n_users] = 0
        self.embedding.register_hook(self._without_users)

    def _without_users(self, gradient: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(gradient[: self.n_users]), gradient[self.n_users :]])

    def _initialize(self, settings: TrainingSettings) -> None:
        for name, parameter in self.named_parameters():
            if name.startswith("encoder.") and self.encoder.draws_weights:
                continue
            if parameter.dim() == 1:
                nn.init.zeros_(parameter)
            elif name == "embedding" or settings.initialization == "normal":
                nn.init.normal_(parameter, std=settings.initial_deviation)
            else:
                nn.init.xavier_uniform_(parameter)
