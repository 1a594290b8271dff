"""Popularity: everyone gets the items with the most training interactions, a sanity check.

    u = 1,  v = number of users who have the item

One dimension; what any learned method must beat.
"""

import numpy as np

from hashgnn.config.settings import parse
from hashgnn.models.settings import NoSettings
from hashgnn.models.task import Fitted, Task
from hashgnn.training.epochs import Epoch, EpochSettings, fit_epochs

SETTINGS = NoSettings


def fit(task: Task) -> Fitted:
    """Count the training interactions of ``task``."""
    parse(SETTINGS, task.parameters, "parameters")
    split = task.split
    counts = np.bincount(split.train.indices, minlength=split.n_items).astype(np.float32)
    users = np.ones((split.n_users, 1), dtype=np.float32)
    return fit_epochs([Epoch(users, counts[:, None])], task, EpochSettings(epochs=1))
