"""HashGNN+: this project's own method; codes and vectors each with a head and a full likelihood.

    h = sign(W_h u + b_h),  v = W_v u + b_v
    L = -mean log softmax_j(s_h <h_i, h_j>) - w mean log softmax_j(s_v <v_i, v_j>)

over the links (i, j) of a batch and all its items, corrected for the chance of being in it. What
differs from HashGNN: the softmax over hundreds to thousands of items in place of ten negatives,
which a batch of whole users makes cheap (Liang et al. 2018); a head for the continuous vectors
beside the code's, both learned throughout, in place of a mixture of both in one (no guidance: the
codes' gradient cannot ruin the vectors); scales that are learned; and users who have no embedding
of their own but are known by their items, drawn anew in each step, as in an autoencoder.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hashgnn.config.settings import at_most, require
from hashgnn.graph.bipartite import Graph
from hashgnn.models.base import Embedded, GraphHasher
from hashgnn.models.hashing import Progress, straight_through
from hashgnn.models.settings import TrainingSettings
from hashgnn.models.task import Fitted, Task
from hashgnn.training.batches import Batch
from hashgnn.training.fit import fit_hasher


def sampled_softmax(logits: Tensor, users: Tensor, items: Tensor, damping: float = 0.0) -> Tensor:
    """Weighted mean of -log softmax(logits)[user, item] over links: the multinomial likelihood.

    ``logits`` [U, I]: similarities of the batch's distinct users and distinct items, each less the
    logarithm of its chance to be in the batch (``log_inclusion``), so that the sum over these items
    stands for the sum over all (Bengio and Senecal 2008; Yi et al. 2019, for items of a batch).
    ``users`` and ``items`` int [B] are the links' rows and columns. The links of a user share one
    sum, as in Liang et al. (2018), Variational Autoencoders for Collaborative Filtering, Eq. 2.
    Each link of a user who has c of them weighs c^-``damping``: with 0 all links are alike, with 1
    all users.
    """
    taken = functional.log_softmax(logits, dim=1)[users.long(), items.long()]
    weights = users.bincount()[users.long()] ** -damping
    return -(weights * taken).sum() / weights.sum()


def log_inclusion(popularity: Tensor, n_items: int, links: int, negatives: int) -> Tensor:
    """Log of the chance that a batch holds an item, for items of ``popularity`` [I]: float32 [I].

    The batch draws ``links`` items by popularity (which sums to 1 over all ``n_items``), and
    ``negatives`` uniformly.
    """
    missed = links * (-popularity.double()).log1p() + negatives * math.log1p(-1 / n_items)
    return (-missed.expm1()).log().float()


@dataclass(frozen=True)
class HashGnnPlusSettings(TrainingSettings):
    """``scale`` and ``vector_scale`` are where s_h and s_v begin; ``vector_weight`` is w.

    ``user_damping``: how far a user's many links count less (``sampled_softmax``).
    """

    vector_scale: float = 1.0
    vector_weight: float = 1.0
    user_damping: float = 0.0

    def __post_init__(self) -> None:
        """``InputError`` for what no training can be made with."""
        super().__post_init__()
        require(self, scale=1e-9, vector_scale=1e-9, vector_weight=0, user_damping=0)  # their logs
        at_most(self, user_damping=1)


class HashGnnPlus(GraphHasher):
    """The pre-activation a [T, 2 bits] holds the code's beside the vectors."""

    popularity: Tensor

    def __init__(self, graph: Graph, bits: int, settings: HashGnnPlusSettings) -> None:
        super().__init__(graph, bits, settings)
        self.user_vector = nn.Linear(self.encoder.width, bits)
        self.item_vector = nn.Linear(self.encoder.width, bits)
        self.log_scales = nn.Parameter(torch.tensor([self.scale, settings.vector_scale]).log())
        self.user_damping = settings.user_damping
        self.weights = 1.0, settings.vector_weight
        degrees = torch.from_numpy(graph.indptr[graph.n_users :]).diff()
        self.register_buffer("popularity", degrees / degrees.sum(), persistent=False)

    def probability(self, progress: Progress) -> float:
        """Of the codes' part of the loss, which never sees a continuous value: 0."""
        return 0.0

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """h = sign(tanh(a)) of the code's half."""
        return straight_through(torch.tanh(a.chunk(2, dim=1)[0]))

    def embedded(self, a: Tensor) -> Embedded:
        """Each from its own head."""
        hashed, vectors = a.chunk(2, dim=1)
        return Embedded(vectors.contiguous(), hashed)

    def batch_loss(
        self, a: Tensor, batch: Batch, progress: Progress, rng: torch.Generator
    ) -> Tensor:
        """The two likelihoods."""
        n = batch.n_users
        taken = batch.users, batch.items[:, 0] - n
        links, negatives = len(batch.users), batch.items[:, 1:].numel()
        popularity = self.popularity[batch.nodes[n:].long() - self.n_users]
        rarely = log_inclusion(popularity, len(self.popularity), links, negatives)
        views = self.training_codes(a, progress, rng), a.chunk(2, dim=1)[1]
        total = a.new_zeros(())
        for rows, scale, weight in zip(views, self.log_scales.exp(), self.weights, strict=True):
            logits = scale * (rows[:n] @ rows[n:].T) - rarely
            total = total + weight * sampled_softmax(logits, *taken, self.user_damping)
        return total

    def _hash(self, u: Tensor, n_users: int) -> Tensor:
        users, items = u[:n_users], u[n_users:]
        heads = (self.user_hash, self.user_vector), (self.item_hash, self.item_vector)
        sides = zip((users, items), heads, strict=True)
        return torch.cat([torch.cat([head(x) for head in pair], dim=1) for x, pair in sides])


SETTINGS = HashGnnPlusSettings


def fit(task: Task) -> Fitted:
    """Train HashGNN+ on ``task``."""
    return fit_hasher(HashGnnPlus, SETTINGS, task)
