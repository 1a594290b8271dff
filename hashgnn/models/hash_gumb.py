"""Hash_gumb: each bit is a sample of a two-way Gumbel-softmax, sharper as training goes on.

    h = tanh((a + (g - g') / 2) / tau),  g, g' ~ Gumbel(0, 1),  tau = max(floor, exp(-rate t))

Jang, Gu and Poole (2017), Categorical Reparameterization with Gumbel-Softmax, ICLR,
https://arxiv.org/abs/1611.01144. The logits of a bit's two values are a and -a, so that its mean
is z = tanh(a): the continuous vectors are the means, without noise, and the codes the likelier
values. There is no ranking loss.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from hashgnn.graph.bipartite import Graph
from hashgnn.hashing.gumbel import Temperature, gumbel_bits
from hashgnn.hashing.progress import Progress
from hashgnn.hashing.sign import straight_through
from hashgnn.models.graph_hasher import GraphHasher
from hashgnn.training.fit import fit_hasher
from hashgnn.training.settings import TrainingSettings
from hashgnn.training.task import Fitted, Task


@dataclass(frozen=True)
class HashGumbSettings(TrainingSettings):
    """Adds the course of tau; ``hard``: the loss sees the sample's sign, straight through."""

    temperature: Temperature = field(default_factory=Temperature)
    hard: bool = False


class HashGumb(GraphHasher):
    """The loss sees relaxed samples of the bits, drawn anew in each step."""

    def __init__(self, graph: Graph, bits: int, settings: HashGumbSettings) -> None:
        super().__init__(graph, bits, settings)
        self.temperature = settings.temperature
        self.hard = settings.hard

    def probability(self, progress: Progress) -> float:
        """1 for relaxed samples, 0 for ``hard`` ones."""
        return 0.0 if self.hard else 1.0

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """A sample of each bit."""
        sample = gumbel_bits(a, self.temperature.tau(progress), rng)
        return straight_through(sample) if self.hard else sample


SETTINGS = HashGumbSettings


def fit(task: Task) -> Fitted:
    """Train Hash_gumb on ``task``."""
    return fit_hasher(HashGumb, SETTINGS, task)
