"""Mean-aggregation encoder (GraphSAGE, Hamilton et al. 2017; HashGNN paper, Eq. 1)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from hashgnn.encoders.base import Encoder
from hashgnn.graph.aggregate import gather, whole_mean
from hashgnn.graph.bipartite import Graph
from hashgnn.training.settings import TrainingSettings


def build(settings: TrainingSettings, graph: Graph) -> "MeanEncoder":
    """The encoder that the settings describe."""
    return MeanEncoder(
        settings.embedding_width, settings.widths, settings.fanouts, settings.aggregator
    )


class MeanEncoder(Encoder):
    """A stack of mean-aggregation layers, each followed by LeakyReLU 0.2.

    ``gcn``: act(W mean(self and neighbors)), the paper's Eq. 1.
    ``sage``: act(W [self ; mean(neighbors)]), the authors' released code.
    """

    def __init__(
        self, width: int, widths: Sequence[int], fanouts: Sequence[int], aggregator: str
    ) -> None:
        super().__init__(widths[-1])
        self.aggregator = aggregator
        self.fanouts = tuple(fanouts)[::-1]
        inputs = 2 if aggregator == "sage" else 1
        self.layers = nn.ModuleList(
            nn.Linear(inputs * before, after) for before, after in pairwise([width, *widths])
        )

    def forward(self, x: Tensor, blocks: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """Sampled propagation: ``x`` [rows, width] to the last block's targets [T, widths[-1]]."""
        for layer, fanout, (targets, neighbors) in zip(
            self.layers, self.fanouts, blocks, strict=True
        ):
            x = self._combine(layer, gather(x, targets, neighbors), fanout)
        return x

    def propagate(self, x: Tensor, graph: Graph) -> Tensor:
        """Whole neighborhoods for all nodes, matching in expectation what was trained.

        With ``gcn`` a node weighs itself 1/(fanout+1) against its sampled neighbors, and does so
        here too, whatever its degree.
        """
        for layer, fanout in zip(self.layers, self.fanouts, strict=True):
            x = self._combine(layer, torch.cat([x, whole_mean(x, graph)], dim=1), fanout)
        return x

    def _combine(self, layer: nn.Module, gathered: Tensor, fanout: int) -> Tensor:
        """``gathered`` [T, 2 d]: self beside the mean of its neighbors."""
        if self.aggregator == "gcn":
            own, mean = gathered.chunk(2, dim=1)
            gathered = (own + fanout * mean) / (fanout + 1)
        return functional.leaky_relu(layer(gathered), 0.2)
