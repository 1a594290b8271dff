"""HashGNN+: codes and vectors with a head each and full likelihoods; a method of this project.

    h = sign(W_h u + b_h),  v = W_v u + b_v
    L = - w_h mean log softmax_j(s_h <h_i, h_j>)
        - w_a mean log softmax_j(s_a <v_i, h_j>)
        - w   mean log softmax_j(s_v <v_i, v_j>)

over the links (i, j) of a batch and all its items, corrected for the probability that an item is in
the batch. The three likelihoods are those of Hamming, asymmetric and continuous search. It differs
from HashGNN in four points: a softmax over hundreds to thousands of items replaces ten negatives,
which batches of whole users make cheap (Liang et al. 2018); continuous vectors have a head of their
own and both heads are trained throughout, without guidance; the scales s are learned; and users may
be represented by their items alone, as in an autoencoder.
"""

import math
from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from hashgnn.errors import InputError
from hashgnn.graph import Graph
from hashgnn.models.graph_hasher import Batch, Embedded, GraphHasher, straight_through
from hashgnn.models.method import GraphMethod, GraphParameters, Progress


def sampled_softmax(logits: Tensor, users: Tensor, items: Tensor, damping: float = 0.0) -> Tensor:
    """Return the weighted mean of -log softmax(logits)[user, item] over links.

    The links of a user share one normalizer: the multinomial likelihood of Liang et al. (2018),
    Variational Autoencoders for Collaborative Filtering, Eq. 2.

    Args:
        logits: [U, I] similarities of the batch's distinct users and items, each less the logarithm
            of the item's probability to be in the batch (``log_inclusion``), so that the sum over
            these items estimates the sum over all (Bengio and Senecal 2008; Yi et al. 2019).
        users: int [B], the links' rows of ``logits``.
        items: int [B], the links' columns.
        damping: A link of a user who has c of them has the weight c^-``damping``: 0 weighs all
            links alike, 1 all users.
    """
    taken = functional.log_softmax(logits, dim=1)[users.long(), items.long()]
    weights = users.bincount()[users.long()] ** -damping
    return -(weights * taken).sum() / weights.sum()


def log_inclusion(popularity: Tensor, n_items: int, links: int, negatives: int) -> Tensor:
    """Return the log probability that a batch holds an item: float32 [I].

    Args:
        popularity: [I] the items' shares of all interactions.
        n_items: Number of all items.
        links: Items that the batch draws by popularity.
        negatives: Items that it draws uniformly.
    """
    missed = links * (-popularity.double()).log1p() + negatives * math.log1p(-1 / n_items)
    return (-missed.expm1()).log().float()


class Parameters(GraphParameters):
    """Adds the second head, the weights of the likelihoods and those of users."""

    scale: float = Field(default=0.25, ge=1e-9)
    """Initial s_h."""

    vector_scale: float = Field(default=1.0, ge=1e-9)
    """Initial s_v and s_a."""

    code_weight: float = Field(default=1.0, ge=0)
    """w_h, the weight of the codes' likelihood."""

    vector_weight: float = Field(default=1.0, ge=0)
    """w, the weight of the vectors' likelihood. With 0 the vectors of items are not trained, and
    hierarchical and continuous search find nothing of use."""

    asymmetric_weight: float = Field(default=0.0, ge=0)
    """w_a, the weight of the likelihood of users' vectors and items' codes, which trains for
    asymmetric search."""

    user_damping: float = Field(default=0.0, ge=0, le=1)
    """A link of a user who has c links in the batch has the weight c^-``user_damping``: 0 weighs
    all links alike, 1 all users."""

    def check(self) -> None:
        """Raise ``InputError``, also if there is nothing to train for."""
        super().check()
        if not self.code_weight + self.vector_weight + self.asymmetric_weight:
            raise InputError(
                "code_weight: is 0, as are vector_weight and asymmetric_weight; expected one that "
                "is larger"
            )


class Likelihood(NamedTuple):
    """A term of the loss: the search that it trains for, what it sees, its weight and scale."""

    search: str
    users: str
    items: str
    weight: float
    scale: float


class HashGnnPlusModel(GraphHasher):
    """The pre-activation a [T, 2 bits] concatenates those of the codes and of the vectors."""

    popularity: Tensor

    def __init__(self, graph: Graph, bits: int, parameters: Parameters) -> None:
        super().__init__(graph, bits, parameters)
        self.user_vector = nn.Linear(self.encoder.width, bits)
        self.item_vector = nn.Linear(self.encoder.width, bits)
        first, code_weight = parameters.vector_scale, parameters.code_weight
        terms = (
            Likelihood("hamming", "codes", "codes", code_weight, self.scale),
            Likelihood("asymmetric", "vectors", "codes", parameters.asymmetric_weight, first),
            Likelihood("continuous", "vectors", "vectors", parameters.vector_weight, first),
        )
        self.likelihoods = [term for term in terms if term.weight]
        self.selected_by = tuple(term.search for term in self.likelihoods)
        self.log_scales = nn.Parameter(torch.tensor([t.scale for t in self.likelihoods]).log())
        self.user_damping = parameters.user_damping
        degrees = torch.from_numpy(graph.indptr[graph.n_users :]).diff()
        self.register_buffer("popularity", degrees / degrees.sum(), persistent=False)

    def probability(self, progress: Progress) -> float:
        """Return 0: the codes' part of the loss never sees continuous values."""
        return 0.0

    def weigh_items(self, totals: Tensor) -> None:
        """Take the items' shares of all weights as their popularity."""
        self.popularity = (totals / totals.sum()).float()

    def training_codes(self, a: Tensor, progress: Progress, rng: torch.Generator) -> Tensor:
        """Return h = sign(tanh(a)) of the codes' half."""
        return straight_through(torch.tanh(self.embedded(a).hashed))

    def embedded(self, a: Tensor) -> Embedded:
        """Return vectors and codes, each from its own head."""
        hashed, vectors = a.chunk(2, dim=1)
        return Embedded(vectors.contiguous(), hashed)

    def batch_loss(
        self, a: Tensor, batch: Batch, progress: Progress, rng: torch.Generator
    ) -> Tensor:
        """Return the weighted sum of the likelihoods, negative."""
        n = batch.n_users
        taken = batch.users, batch.items[:, 0] - n
        links, negatives = len(batch.users), batch.items[:, 1:].numel()
        popularity = self.popularity[batch.nodes[n:].long() - self.n_users]
        log_chance = log_inclusion(popularity, len(self.popularity), links, negatives)
        codes, vectors = self.training_codes(a, progress, rng), self.embedded(a).vectors
        seen = {"codes": codes, "vectors": vectors}
        total = a.new_zeros(())
        for term, scale in zip(self.likelihoods, self.log_scales.exp(), strict=True):
            logits = scale * (seen[term.users][:n] @ seen[term.items][n:].T) - log_chance
            total = total + term.weight * sampled_softmax(logits, *taken, self.user_damping)
        return total

    def _hash(self, u: Tensor, n_users: int) -> Tensor:
        users, items = u[:n_users], u[n_users:]
        heads = (self.user_hash, self.user_vector), (self.item_hash, self.item_vector)
        sides = zip((users, items), heads, strict=True)
        return torch.cat([torch.cat([head(x) for head in pair], dim=1) for x, pair in sides])


METHOD = GraphMethod(Parameters, HashGnnPlusModel)
