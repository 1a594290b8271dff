"""MF: matrix factorization by Bayesian personalized ranking.

    loss = softplus(<u, j> - <u, i>) + (lambda / 2) (|u|^2 + |i|^2 + |j|^2)

Rendle, Freudenthaler, Gantner and Schmidt-Thieme (2009), BPR: Bayesian Personalized Ranking from
Implicit Feedback, UAI. A user u, an item i of its training interactions, and a negative j, drawn
uniformly as there. It is LightGCN without layers; users and items have no biases.
"""

from dataclasses import replace

from hashgnn.models import lightgcn
from hashgnn.models.task import Fitted, Task

SETTINGS = lightgcn.SETTINGS
FIXED = {**lightgcn.FIXED, "layers": 0}


def fit(task: Task) -> Fitted:
    """Train MF on ``task``."""
    return lightgcn.fit(replace(task, parameters={**task.parameters, **FIXED}))
