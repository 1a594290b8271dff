"""Continuation: tanh(beta a) comes ever closer to sign(a) (Cao et al. 2017, section 3.2)."""

from dataclasses import dataclass

from hashgnn.hashing.progress import Progress, Unit
from hashgnn.settings import require


@dataclass(frozen=True)
class Continuation:
    """beta = (1 + ``gamma`` t) ** ``power``, where t counts in ``unit``, renewed each ``every``.

    The defaults are those of the authors' code (thuml/HashNet): beta is 1 for 200 iterations, and
    4.6 after 4,000.
    """

    gamma: float = 0.005
    power: float = 0.5
    every: float = 200
    unit: Unit = "iterations"

    def __post_init__(self) -> None:
        """``InputError`` for what makes no schedule."""
        require(self, every=0.001, gamma=0, power=0)

    def beta(self, progress: Progress) -> float:
        """beta for the iteration that comes next."""
        t = self.every * progress.steps(self.every, self.unit)
        return (1 + self.gamma * t) ** self.power
