"""GraphSAGE: the continuous counterpart of all hashing methods.

Hamilton, Ying and Leskovec (2017), Inductive Representation Learning on Large Graphs. Here p is 1
throughout and the reconstruction loss stands alone; items rank by the inner product of z.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from hashgnn.models.base import GraphHasher
from hashgnn.models.hashing import Progress
from hashgnn.models.settings import TrainingSettings
from hashgnn.models.task import Fitted, Task
from hashgnn.training.fit import fit_hasher


class GraphSage(GraphHasher):
    """The loss sees z itself."""

    selected_by: ClassVar[Sequence[str]] = ("continuous",)

    def probability(self, progress: Progress) -> float:
        """Always 1."""
        return 1.0

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """z, unchanged."""
        return self.continuous(a)


SETTINGS = TrainingSettings


def fit(task: Task) -> Fitted:
    """Train GraphSAGE on ``task``."""
    return fit_hasher(GraphSage, SETTINGS, task)
