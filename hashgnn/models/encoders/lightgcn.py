"""LightGCN: neighbors weighed by degree, no weights, no activation, the mean of all layers.

    x^(l+1)_i = sum_{j in N(i)} x^(l)_j / sqrt(d_i d_j),  u_i = mean_l x^(l)_i

He, Deng, Wang, Li, Zhang and Wang (2020), LightGCN: Simplifying and Powering Graph Convolution
Network for Recommendation, SIGIR, Eq. 3 and 4. https://arxiv.org/abs/2002.02126
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from hashgnn.graph.aggregate import Neighborhoods, drawn, neighbor_mean, whole
from hashgnn.graph.bipartite import Graph
from hashgnn.models.encoders.base import Encoder
from hashgnn.models.settings import TrainingSettings


def build(settings: TrainingSettings, graph: Graph) -> "LightGcn":
    """As many layers as there are fan-outs, as wide as the embeddings."""
    return LightGcn(settings.embedding_width, len(settings.fanouts), graph)


class LightGcn(Encoder):
    """The sum over N(i) is sqrt(d_i) times the mean of x_j / sqrt(d_j), which samples estimate.

    So what is trained on sampled neighbors is, layer by layer, in expectation what is inferred. A
    node without interactions is its own neighbor, of degree 1: it is represented by itself.
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
        """Sampled: ``x`` [rows, width] to the last block's targets [T, width]."""
        roots = self.root_degrees if nodes is None else self.root_degrees[nodes.long()]
        return self._through(x, roots, [drawn(*block) for block in blocks])

    def propagate(self, x: Tensor, graph: Graph, targets: Tensor | None = None) -> Tensor:
        """Whole neighborhoods: ``x`` [n_nodes, width] to the same shape, or rows ``targets``."""
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
