"""Mean-aggregation encoder (GraphSAGE, Hamilton et al. 2017; HashGNN paper, Eq. 1)."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from hashgnn.graph import Graph
from hashgnn.graph.aggregate import Neighborhoods, drawn, mean_layer, whole
from hashgnn.models.encoders import Encoder
from hashgnn.models.method import GraphParameters


def check(parameters: GraphParameters) -> None:
    """Raise ``InputError`` for hyper-parameters that no encoder can be built with."""
    parameters.check_layers()


def build(parameters: GraphParameters, graph: Graph) -> "MeanEncoder":
    """Return the encoder that the hyper-parameters describe."""
    check(parameters)
    layers = parameters.widths, parameters.fanouts, parameters.aggregator
    # With features, users may have an input other than 0.
    alone = None if parameters.user_embeddings or graph.features is not None else graph.n_users
    return MeanEncoder(parameters.embedding_width, *layers, alone)


class MeanEncoder(Encoder):
    """Stack mean-aggregation layers, each followed by LeakyReLU 0.2.

    ``gcn``: act(W mean(self and neighbors)), the paper's Eq. 1.
    ``sage``: act(W [self ; mean(neighbors)]), the authors' released code.

    With ``gcn`` a node weighs 1/(fanout+1) in its own mean, over sampled neighbors and over whole
    neighborhoods alike, whatever its degree, so that inference agrees with training.

    In the first layer the nodes from ``alone`` on, if it is a number, have no neighbors: items,
    where users have no embeddings.
    """

    def __init__(
        self,
        width: int,
        widths: Sequence[int],
        fanouts: Sequence[int],
        aggregator: str,
        alone: int | None = None,
    ) -> None:
        super().__init__(widths[-1])
        self.alone = alone
        self.fanouts = tuple(fanouts)[::-1]
        inputs = 2 if aggregator == "sage" else 1
        self.layers = nn.ModuleList(
            nn.Linear(inputs * before, after) for before, after in pairwise([width, *widths])
        )

    def forward(
        self, x: Tensor, blocks: Sequence[tuple[Tensor, Tensor]], nodes: Tensor | None = None
    ) -> Tensor:
        """Propagate ``x`` [rows, width] over sampled neighbors: [T, widths[-1]]."""
        return self._through(x, [drawn(*block) for block in blocks])

    def propagate(self, x: Tensor, graph: Graph, targets: Tensor | None = None) -> Tensor:
        """Propagate over whole neighborhoods: [n_nodes, widths[-1]], or the rows of ``targets``."""
        hoods = [whole(graph, x.device)] * (len(self.layers) - 1)
        return self._through(x, [*hoods, whole(graph, x.device, targets)])

    def _through(self, x: Tensor, hoods: Sequence[Neighborhoods]) -> Tensor:
        if self.alone is not None:
            hoods = [hoods[0].without_neighbors(self.alone), *hoods[1:]]
        for layer, fanout, read in zip(self.layers, self.fanouts, hoods, strict=True):
            weight, bias = layer.parameters()
            x = mean_layer(x, read, weight, bias, share=1 / (fanout + 1))
        return x
