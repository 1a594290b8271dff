"""Methods that bring their own trainer: each epoch's vectors are validated, the best are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from hashgnn.config.settings import at_most, require
from hashgnn.errors import InputError
from hashgnn.evaluation.representation import Representation
from hashgnn.models.task import Fitted, Moment, Task
from hashgnn.search.validation import MAX_BITS
from hashgnn.training.history import History
from hashgnn.training.validation import PairwiseAuc, validation_hr


class Epoch(NamedTuple):
    """Vectors float32 [users, d] and [items, d] after an epoch, and its mean loss if known."""

    users: np.ndarray
    items: np.ndarray
    loss: float = float("nan")


@dataclass(frozen=True)
class EpochSettings:
    """How long such methods train.

    ``epochs``: at most so many; ``patience``: epochs without a better validation HR after which
    training stops (0: never); ``dimensions`` of the vectors, by default as many as a code has
    bits.
    """

    epochs: int = 20
    patience: int = 0
    dimensions: int | None = None

    def __post_init__(self) -> None:
        """``InputError`` for what no training can be made with."""
        require(self, epochs=1, patience=0, dimensions=1)
        at_most(self, dimensions=MAX_BITS)


def fit_epochs(epochs: Iterable[Epoch], task: Task, settings: EpochSettings) -> Fitted:
    """Take ``epochs`` as they come and return the one that ranks the validation items best.

    HR@50 by continuous search decides; without validation interactions the last epoch is kept.
    The codes are the signs of the vectors.
    """
    history, auc = History(), PairwiseAuc(task.split, task.seed)
    best_hr, best_number, best = -1.0, 0, None
    for number, epoch in enumerate(epochs, start=1):
        _check(epoch, number)
        users, items = Representation(None, epoch.users), Representation(None, epoch.items)
        hr = validation_hr(users, items, task.split, ["continuous"])
        task.watch(Moment(number, settings.epochs, f"epoch {number}  validation HR {hr:.4f}"))
        _note(history, auc, number, epoch)
        if not hr <= best_hr:
            best_hr, best_number = hr, number
            best = epoch.users.copy(), epoch.items.copy()
        if 0 < settings.patience <= number - best_number:
            break
    if best is None:
        raise ValueError("no epochs")
    facts = {"best_epoch": best_number, "validation_hr": best_hr}
    return Fitted.of_vectors(*best, history.frame(), facts)


def _check(epoch: Epoch, number: int) -> None:
    if np.isinf(epoch.loss) or not all(np.isfinite(v).all() for v in (epoch.users, epoch.items)):
        raise InputError(
            f"the loss or the vectors are not finite after epoch {number}: "
            "lower learning_rate, or raise regularization, in the model's parameters"
        )
    if (width := epoch.users.shape[1]) > MAX_BITS:
        raise InputError(
            f"vectors of {width:,} dimensions make codes of more than {MAX_BITS:,} bits: "
            "set dimensions in the model's parameters to fewer"
        )


def _note(history: History, auc: PairwiseAuc, number: int, epoch: Epoch) -> None:
    vectors = torch.from_numpy(epoch.users), torch.from_numpy(epoch.items)
    history.add(loss=epoch.loss)
    history.close_interval(
        iteration=number,
        epoch=number,
        p=1.0,
        auc=auc.of_vectors(*vectors),
        auc_codes=auc.of_codes(*vectors),
    )
