"""MF: matrix factorization trained with the Bayesian personalized ranking loss.

    loss = softplus(<u, j> - <u, i>) + (lambda / 2) (|u|^2 + |i|^2 + |j|^2)

Rendle, Freudenthaler, Gantner and Schmidt-Thieme (2009), BPR: Bayesian Personalized Ranking from
Implicit Feedback, UAI. User u, an item i of its training interactions, and a negative j, drawn
uniformly. It is LightGCN without layers; users and items have no biases.
"""

from hashgnn.models import lightgcn
from hashgnn.models.method import GraphMethod


class Parameters(lightgcn.Parameters):
    """LightGCN's; the number of layers is always 0."""


METHOD = GraphMethod(
    Parameters, lightgcn.LightGcnModel, fixed={**lightgcn.METHOD.fixed, "layers": 0}
)
