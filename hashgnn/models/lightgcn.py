"""LightGCN: smoothed embeddings, trained with the Bayesian personalized ranking loss.

    x^(l+1)_i = sum_{j in N(i)} x^(l)_j / sqrt(d_i d_j),  r_i = mean_l x^(l)_i
    loss = softplus(<r_u, r_j> - <r_u, r_i>) + (lambda / 2) (|x_u|^2 + |x_i|^2 + |x_j|^2)

He, Deng, Wang, Li, Zhang and Wang (2020), LightGCN: Simplifying and Powering Graph Convolution
Network for Recommendation, SIGIR, Eq. 3, 4 and 15. https://arxiv.org/abs/2002.02126. User u, item i
and negative j are a triplet. The method propagates over whole neighborhoods in each step; without
layers it is matrix factorization. As an ``encoder`` of another method, this module has as many
layers as that has ``fanouts``.
"""

from collections.abc import Sequence

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from hashgnn.graph import Graph
from hashgnn.graph.aggregate import Neighborhoods, drawn, neighbor_mean, whole
from hashgnn.models.encoders import Encoder, Identity
from hashgnn.models.graph_hasher import Batch, GraphHasher
from hashgnn.models.losses import bpr, similarity
from hashgnn.models.method import GraphMethod, GraphParameters, Progress


def build(parameters: GraphParameters, graph: Graph) -> "LightGcnEncoder":
    """Return an encoder with a layer per fanout, as wide as the embeddings."""
    return LightGcnEncoder(parameters.embedding_width, len(parameters.fanouts), graph)


class LightGcnEncoder(Encoder):
    """Smooth embeddings over the graph, without weights and activation.

    The sum over N(i) is sqrt(d_i) times the mean of x_j / sqrt(d_j), which samples estimate without
    bias, so each layer agrees in expectation between training and inference. A node without
    interactions is its own neighbor, of degree 1, and represents itself.
    """

    root_degrees: Tensor

    def __init__(self, width: int, n_layers: int, graph: Graph) -> None:
        super().__init__(width)
        self.n_layers = n_layers
        roots = torch.from_numpy(np.sqrt(np.diff(graph.indptr)).astype(np.float32))
        self.register_buffer("root_degrees", roots[:, None], persistent=False)

    def forward(
        self, x: Tensor, blocks: Sequence[tuple[Tensor, Tensor]], nodes: Tensor | None = None
    ) -> Tensor:
        """Propagate ``x`` [rows, width] over sampled neighbors: [T, width]."""
        roots = self.root_degrees if nodes is None else self.root_degrees[nodes.long()]
        return self._through(x, roots, [drawn(*block) for block in blocks])

    def propagate(self, x: Tensor, graph: Graph, targets: Tensor | None = None) -> Tensor:
        """Propagate over whole neighborhoods: [n_nodes, width], or the rows of ``targets``."""
        hoods = [whole(graph, x.device)] * (self.n_layers - 1)
        return self._through(x, self.root_degrees, [*hoods, whole(graph, x.device, targets)])

    def _through(self, x: Tensor, roots: Tensor, hoods: Sequence[Neighborhoods]) -> Tensor:
        total = x
        for read in hoods:
            mean = neighbor_mean(x / roots, read)
            rows = read.targets.long()
            roots = roots[rows]
            x = roots * mean
            total = total[rows] + x
        return total / (len(hoods) + 1)


class Parameters(GraphParameters):
    """Adds the layers and the penalty; the encoder's own hyper-parameters have no effect."""

    layers: int = Field(default=3, ge=0)
    """Number of layers."""

    regularization: float = Field(default=1e-4, ge=0)
    """lambda, the weight of the embeddings' squared length."""


class LightGcnModel(GraphHasher):
    """Without a hash layer: the representations are the continuous vectors."""

    selected_by: Sequence[str] = ("continuous",)

    def __init__(self, graph: Graph, bits: int, parameters: Parameters) -> None:
        super().__init__(graph, bits, parameters.model_copy(update={"embedding_width": bits}))
        self.regularization = parameters.regularization
        layers = parameters.layers
        self.encoder = LightGcnEncoder(bits, layers, graph) if layers else Identity(bits)
        self.user_hash = self.item_hash = nn.Identity()

    def forward_whole(self, x: Tensor, graph: Graph, nodes: Tensor, n_users: int) -> Tensor:
        """Return the nodes' representations [T, d] next to their embeddings: [T, 2 d]."""
        return torch.cat([self.encoder.propagate(x, graph, nodes), x[nodes.long()]], dim=1)

    def forward_cold(self, nodes: Tensor, n_users: int) -> Tensor:
        """Return representations from features alone next to what these are: [T, 2 d]."""
        assert self.features is not None
        return torch.cat([super().forward_cold(nodes, n_users), self.features(nodes)], dim=1)

    def continuous(self, a: Tensor) -> Tensor:
        """Return the representations."""
        return a

    def probability(self, progress: Progress) -> float:
        """Return 1: the loss always sees continuous values."""
        return 1.0

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """Return the representations."""
        return a.chunk(2, dim=1)[0]

    def batch_loss(
        self, a: Tensor, batch: Batch, progress: Progress, rng: torch.Generator
    ) -> Tensor:
        """Return the ranking loss plus the penalty, each a mean over triplets."""
        (u, x), users, items = a.chunk(2, dim=1), batch.users, batch.items
        scores = similarity(u.contiguous(), users, items, self.scale)
        ranking = bpr(scores[:, 0], scores[:, 1:])
        return ranking + self.regularization / 2 * squared_length(x, users, items)


def squared_length(x: Tensor, users: Tensor, items: Tensor) -> Tensor:
    """Return the mean over triplets of |x_u|^2 + |x_i|^2 + |x_j|^2; rows as in ``Batch``."""
    lengths = x.square().sum(1)
    of_items = lengths[items.long()]
    return (lengths[users.long()] + of_items[:, 0]).mean() + of_items[:, 1:].mean()


METHOD = GraphMethod(
    Parameters,
    LightGcnModel,
    fixed={"encoder": __name__, "fanouts": [1], "engine": "full", "neighbor_share": 1.0},
)
