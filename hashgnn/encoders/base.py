"""The seam between methods and graph encoders."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn

from hashgnn.graph.bipartite import Graph


class Encoder(nn.Module, ABC):
    """From node embeddings to representations, by sampled or by whole neighborhoods.

    Both must agree in expectation: what is inferred must be what was trained. ``width`` is the
    number of dimensions that come out. Weights are drawn as the settings say, unless the encoder
    ``draws_weights`` itself when it is made.
    """

    draws_weights: ClassVar[bool] = False

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    @abstractmethod
    def forward(
        self, x: Tensor, blocks: Sequence[tuple[Tensor, Tensor]], nodes: Tensor | None = None
    ) -> Tensor:
        """Sampled: ``x`` [rows, width] to the last block's targets [T, ``self.width``].

        A block is (targets [T'], neighbors [T', fanout]), rows of what the layer before made. The
        rows of ``x`` are those of ``nodes`` int [rows], or of all nodes.
        """

    @abstractmethod
    def propagate(self, x: Tensor, graph: Graph, targets: Tensor | None = None) -> Tensor:
        """Whole neighborhoods: ``x`` [n_nodes, width] to [n_nodes, ``self.width``].

        Or to the rows of the nodes ``targets`` int [T] alone, which may cost less.
        """
