"""MF: matrix factorization trained with the Bayesian personalized ranking loss.

    loss = softplus(<u, j> - <u, i>) + (lambda / 2) (|u|^2 + |i|^2 + |j|^2)

Rendle, Freudenthaler, Gantner and Schmidt-Thieme (2009), BPR: Bayesian Personalized Ranking from
Implicit Feedback, UAI. User u, an item i of its training interactions, and a negative j, drawn
uniformly. It is LightGCN without layers; users and items have no biases.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hashgnn.data.interactions import Csr
from hashgnn.models import lightgcn
from hashgnn.models.method import GraphMethod

_NEGATIVES = 64  # per interaction of a new user
_ITERATIONS = 50  # of L-BFGS


class Parameters(lightgcn.Parameters):
    """LightGCN's; the number of layers is always 0."""


def new_users(histories: Csr, items: np.ndarray, parameters: Parameters) -> np.ndarray:
    """Minimize the loss of users who have ``histories``, whose items stay as they are.

    The loss is convex in a user's vector. Each interaction has ``_NEGATIVES`` negatives, drawn once
    from all items.
    """
    vectors, positives = torch.from_numpy(items), torch.from_numpy(histories.indices).long()
    sizes = torch.from_numpy(np.diff(histories.indptr))
    owners = torch.arange(len(sizes)).repeat_interleave(sizes)
    drawn = torch.randint(len(items), (len(owners), _NEGATIVES), generator=torch.Generator())
    users = torch.zeros(len(sizes), items.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([users], max_iter=_ITERATIONS, line_search_fn="strong_wolfe")
    scale = parameters.scale_of(items.shape[1])

    def loss() -> Tensor:
        optimizer.zero_grad()
        scores = scale * users @ vectors.T
        negative = scores[owners[:, None], drawn]
        losses = functional.softplus(negative - scores[owners, positives][:, None]).mean(1)
        total = (losses / sizes[owners]).sum()
        total = total + parameters.regularization / 2 * users.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    return users.detach().numpy()


METHOD = GraphMethod(
    Parameters,
    lightgcn.LightGcnModel,
    fixed={**lightgcn.METHOD.fixed, "layers": 0},
    new_users=new_users,
)
