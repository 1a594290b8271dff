"""How the learning rate falls as training goes on."""

import math


def cosine(share: float, end: float) -> float:
    """Half a cosine from 1 to ``end`` as the ``share`` of training done goes from 0 to 1.

    Loshchilov and Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts, Eq. 5.
    """
    return end + (1 - end) * (1 + math.cos(math.pi * share)) / 2
