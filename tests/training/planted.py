"""A small task with groups that a method has to find."""

import math
from pathlib import Path

import numpy as np
import torch

from hashgnn.data.interactions import Csr, Split
from hashgnn.models.task import Task
from hashgnn.training.checkpoint import Checkpoint

NO_CHECKPOINT = Checkpoint(Path("unused"), "", every_seconds=math.inf)
GROUPS, N_USERS, N_ITEMS, BITS = 6, 120, 120, 12


def planted_split(seed: int = 0) -> Split:
    """Six groups; a user knows 12 of its group's 20 items: 8 train, 2 validation, 2 test."""
    rng = np.random.default_rng(seed)
    known = [rng.permutation(20)[:12] + 20 * (user % GROUPS) for user in range(N_USERS)]

    def part(start: int, stop: int) -> Csr:
        rows = np.concatenate([np.sort(items[start:stop]) for items in known])
        return Csr(np.arange(N_USERS + 1) * (stop - start), rows.astype(np.int32))

    return Split(part(0, 8), part(8, 10), part(10, 12), N_USERS, N_ITEMS)


def planted_task(
    seed: int = 0,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    shared: bool = True,
    **parameters: object,
) -> Task:
    """``shared``: with the hyper-parameters and negatives that the graph methods share."""
    split = planted_split()
    rng = np.random.default_rng(1)
    # An item of another group is never a training positive.
    groups = np.repeat(np.arange(N_USERS) % GROUPS, 8)[None, :, None]
    others = (groups + rng.integers(1, GROUPS, size=(2, N_USERS * 8, 3))) % GROUPS
    negatives = rng.integers(20, size=others.shape) + 20 * others
    common = {
        "widths": [16, 12],
        "embedding_width": 16,
        "fanouts": [4, 3],
        "batch_size": 64,
        "learning_rate": 0.02,
        "initial_deviation": 0.3,
        "epochs": 12,
        "history_every": 5,
    }
    return Task(
        split=split,
        triplets=negatives.astype(np.int32) if shared else None,
        bits=BITS,
        seed=seed,
        parameters={**(common if shared else {}), **parameters},
        device=torch.device("cpu"),
        checkpoint=checkpoint,
    )
