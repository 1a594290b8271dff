"""Sampled softmax: which of the batch's items did the user take?"""

import math

from torch import Tensor
from torch.nn import functional


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
