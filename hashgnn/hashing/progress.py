"""How far a training has come: what schedules go by."""

from typing import NamedTuple


class Progress(NamedTuple):
    """Iterations done, and how many make an epoch."""

    iteration: int
    per_epoch: int
