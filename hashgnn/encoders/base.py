"""The seam between methods and graph encoders."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from hashgnn.graph.bipartite import Graph


class Encoder(nn.Module, ABC):
    """From node embeddings to representations, by sampled or by whole neighborhoods.

    Both must agree in expectation: what is inferred must be what was trained.
    """

    @abstractmethod
    def forward(self, x: Tensor, blocks: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """Sampled: ``x`` [rows, width] to the last block's targets [T, width of the last layer].

        A block is (targets [T'], neighbors [T', fanout]), rows of what the layer before made.
        """

    @abstractmethod
    def propagate(self, x: Tensor, graph: Graph) -> Tensor:
        """Whole neighborhoods: ``x`` [n_nodes, width] to [n_nodes, width of the last layer]."""
