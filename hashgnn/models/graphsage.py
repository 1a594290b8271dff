"""GraphSAGE: the continuous counterpart of the hashing methods.

Hamilton, Ying and Leskovec (2017), Inductive Representation Learning on Large Graphs, NeurIPS. p is
1 throughout, the only loss is the cross-entropy, and items are ranked by the inner product of z.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from hashgnn.models.graph_hasher import GraphHasher
from hashgnn.models.method import GraphMethod, GraphParameters, Progress


class Parameters(GraphParameters):
    """Those of every graph method."""


class GraphSageModel(GraphHasher):
    """The loss sees z itself."""

    selected_by: Sequence[str] = ("continuous",)

    def probability(self, progress: Progress) -> float:
        """Return 1: the loss always sees continuous values."""
        return 1.0

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """Return z."""
        return self.continuous(a)


METHOD = GraphMethod(Parameters, GraphSageModel)
