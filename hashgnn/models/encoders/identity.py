"""No encoder: a node is represented by its own embedding."""

from collections.abc import Sequence

from torch import Tensor

from hashgnn.graph.bipartite import Graph
from hashgnn.models.encoders.base import Encoder
from hashgnn.models.settings import TrainingSettings


def build(settings: TrainingSettings, graph: Graph) -> "Identity":
    """The encoder that the settings describe."""
    return Identity(settings.embedding_width)


class Identity(Encoder):
    """Rows of ``x`` as they are."""

    def forward(
        self, x: Tensor, blocks: Sequence[tuple[Tensor, Tensor]], nodes: Tensor | None = None
    ) -> Tensor:
        """The targets' own rows."""
        for targets, _ in blocks:
            x = x[targets.long()]
        return x

    def propagate(self, x: Tensor, graph: Graph, targets: Tensor | None = None) -> Tensor:
        """``x`` itself."""
        return x if targets is None else x[targets.long()]
