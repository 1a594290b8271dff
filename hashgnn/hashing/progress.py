"""How far a training has come: what schedules go by."""

from typing import Literal, NamedTuple

Unit = Literal["iterations", "epochs"]


class Progress(NamedTuple):
    """Iterations done, and how many make an epoch."""

    iteration: int
    per_epoch: int

    def steps(self, every: float, unit: Unit) -> int:
        """How often a schedule that is renewed each ``every`` ``unit`` has been renewed."""
        return int(self.iteration // (every * (self.per_epoch if unit == "epochs" else 1)))
