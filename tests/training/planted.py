"""A small task with groups that a method has to find."""

from types import ModuleType

import numpy as np
import torch

from hashgnn.data.interactions import Csr, Split
from hashgnn.models.method import Task
from hashgnn.training.checkpoint import Checkpoint
from hashgnn.training.fit import Fitted, fit

GROUPS, N_USERS, N_ITEMS, BITS = 6, 120, 120, 12

# Hyper-parameters that the graph methods share.
SHARED = {
    "widths": [16, 12],
    "embedding_width": 16,
    "fanouts": [4, 3],
    "batch_size": 64,
    "learning_rate": 0.02,
    "initial_deviation": 0.3,
    "epochs": 12,
    "history_every": 5,
}

# Vectors of another method, in four dimensions: each group has its own direction.
DIRECTIONS = np.random.default_rng(5).standard_normal((GROUPS, 4)).astype(np.float32)
PRETRAINED = DIRECTIONS[np.arange(N_USERS) % GROUPS], DIRECTIONS[np.arange(N_ITEMS) // 20]


def planted_split(seed: int = 0) -> Split:
    """Six groups; a user knows 12 of its group's 20 items: 8 train, 2 validation, 2 test."""
    rng = np.random.default_rng(seed)
    known = [rng.permutation(20)[:12] + 20 * (user % GROUPS) for user in range(N_USERS)]

    def part(start: int, stop: int) -> Csr:
        rows = np.concatenate([np.sort(items[start:stop]) for items in known])
        return Csr(np.arange(N_USERS + 1) * (stop - start), rows.astype(np.int32))

    return Split(part(0, 8), part(8, 10), part(10, 12), N_USERS, N_ITEMS)


def planted_task(seed: int = 0) -> Task:
    rng = np.random.default_rng(1)
    # An item of another group is never a training positive.
    groups = np.repeat(np.arange(N_USERS) % GROUPS, 8)[None, :, None]
    others = (groups + rng.integers(1, GROUPS, size=(2, N_USERS * 8, 3))) % GROUPS
    negatives = rng.integers(20, size=others.shape) + 20 * others
    cpu = torch.device("cpu")
    return Task(planted_split(), BITS, seed, cpu, negatives.astype(np.int32), PRETRAINED)


def train(
    method: ModuleType,
    task: Task | None = None,
    checkpoint: Checkpoint | None = None,
    **parameters: object,
) -> Fitted:
    """Train on the planted groups; ``parameters`` on top of the shared ones."""
    shared = SHARED if method.METHOD.takes_training else {}
    return fit(method.METHOD, task or planted_task(), {**shared, **parameters}, checkpoint)


def own_group_gap(similarity: np.ndarray) -> float:
    """How much more similar [users, items] users are to their own group's items."""
    own = (np.arange(N_USERS) % GROUPS)[:, None] == (np.arange(N_ITEMS) // 20)[None]
    return float(similarity[own].mean() - similarity[~own].mean())


def agreeing_bits(fitted: Fitted) -> np.ndarray:
    """[users, items]"""
    users, items = (
        np.unpackbits(codes, axis=1, count=BITS, bitorder="little")
        for codes in (fitted.user_codes, fitted.item_codes)
    )
    return (users[:, None] == items[None]).sum(2)


def check_codes(fitted: Fitted) -> None:
    """The codes must find the groups."""
    assert fitted.user_codes.shape == (N_USERS, 2)
    assert own_group_gap(agreeing_bits(fitted)) > 2.5  # of 12 bits


def check_vectors(method: ModuleType, **parameters: object) -> None:
    """The vectors must find the groups, the same ones for the same seed."""
    first, again = (train(method, **parameters) for _ in range(2))

    scores = first.user_vectors @ first.item_vectors.T
    assert own_group_gap(scores) > 0.5 * scores.std()  # 2.7 at most: six groups of one size
    assert first.user_codes.shape == (N_USERS, (first.user_vectors.shape[1] + 7) // 8)
    assert first.item_vectors.tobytes() == again.item_vectors.tobytes()
    assert 0.65 < first.facts["validation_hr"] <= 1  # 50 of 112 items: by chance 0.45
