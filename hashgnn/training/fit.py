"""Train a method as its declaration says, and keep the epoch that does best on validation.

A refit then trains once more, on the training and validation interactions together, for as many
epochs as the best one has. Schedules of the learning rate, of p and of methods that train
themselves stay those of all epochs: epoch by epoch, the refit repeats the chosen training with more
interactions, so with proportionally more steps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from hashgnn.config.base import parse
from hashgnn.data.interactions import join_parts
from hashgnn.errors import InputError
from hashgnn.models.graph_hasher import pack
from hashgnn.models.method import (
    Epoch,
    EpochMethod,
    GraphMethod,
    HashMethod,
    Method,
    Task,
    VectorMethod,
)
from hashgnn.search import Representation
from hashgnn.search.validation import MAX_BITS
from hashgnn.training import GRAPH_LOOP
from hashgnn.training.checkpoint import Checkpoint
from hashgnn.training.monitoring import (
    COLUMNS,
    Callback,
    History,
    PairwiseAuc,
    TrainingProgress,
    epoch_line,
    print_progress,
    validation_recall,
)


class Fitted(NamedTuple):
    """A trained model: vectors, codes and the course of its training."""

    user_vectors: np.ndarray
    """float32 [users, d]."""

    item_vectors: np.ndarray
    """float32 [items, d]."""

    user_codes: np.ndarray
    """uint8 [users, ceil(bits / 8)]."""

    item_codes: np.ndarray
    """uint8 [items, ceil(bits / 8)]."""

    bits: int
    """Length of the codes, which may differ from the requested one."""

    history: pd.DataFrame
    """See ``History``."""

    facts: Mapping[str, Any]
    """Further entries of the provenance."""

    weights: Mapping[str, np.ndarray] | None = None
    """The weights of a graph method by name, of the epoch of the vectors."""

    def recorded(self) -> dict[str, Any]:
        """Return the entries of the provenance."""
        return {"code_bits": self.bits, **self.facts}


class Decay(NamedTuple):
    """The epochs after which the learning rate begins to decrease and the training ends."""

    begin: int
    end: int


class Repeat(NamedTuple):
    """The part of an earlier training that a refit repeats, with the same schedules."""

    epochs: int

    decay: Decay | None
    """When the learning rate decreased, if that was decided during the training."""


def load_method(module: str) -> Method[Any]:
    """Return the declaration of a module; ``InputError`` if it has none.

    Errors of the module's own code are not caught.
    """
    method = getattr(import_module(module), "METHOD", None)
    if not isinstance(method, Method):
        raise InputError(
            f"{module} declares no METHOD of a class in hashgnn.models.method; "
            "see docs/methods/README.md"
        )
    return method


def fit(
    method: Method[Any],
    task: Task,
    parameters: Mapping[str, Any],
    checkpoint: Checkpoint | None = None,
    callback: Callback = print_progress,
    refit: bool = False,
) -> Fitted:
    """Train a method.

    Args:
        method: Its declaration.
        task: What it trains on.
        parameters: Its hyper-parameters as in the configuration.
        checkpoint: Where an interrupted training is saved and resumed from.
        callback: Called from time to time with the progress.
        refit: Whether to train once more, on training and validation interactions, for as many
            epochs as are best. Without validation interactions, and for methods that hash the
            vectors of another one without training, there is no refit.

    Returns:
        The epoch with the best validation recall; without validation interactions, the last one.
        After a refit, its last epoch, with the history and facts of the training that chose it.

    Raises:
        InputError: For hyper-parameters or data that the method cannot be trained with.
    """
    parsed = parse(method.parameters, {**parameters, **method.fixed}, "parameters")
    _check_task(method, task)
    if task.split.train_weight is not None and not method.takes_weights:
        callback(TrainingProgress(0, 1, "this method does not use the weights of interactions"))
    if refit and len(task.split.validation.indices) and not isinstance(method, HashMethod):
        return _fit_twice(method, task, parsed, checkpoint, callback)
    return _fit_once(method, task, parsed, checkpoint, callback)


def _fit_twice(
    method: Method[Any],
    task: Task,
    parsed: Any,
    checkpoint: Checkpoint | None,
    callback: Callback,
) -> Fitted:
    """Choose the epoch on validation, then train as many on training and validation together."""
    whole = replace(task, split=join_parts(task.split))
    if isinstance(method, GraphMethod):
        whole = import_module(GRAPH_LOOP).with_own_negatives(whole, task.negatives)
    chosen = checkpoint.load_chosen() if checkpoint else None
    if chosen is None:
        first = _fit_once(method, task, parsed, checkpoint, callback)
        chosen = {"facts": dict(first.facts), "history": first.history.to_dict("records")}
    following = checkpoint.after(chosen) if checkpoint else None
    epochs, decay = chosen["facts"]["best_epoch"], chosen["facts"].get("decay")
    told = partial(_tell_of_refit, callback)
    fitted = _fit_once(
        method, whole, parsed, following, told, Repeat(epochs, decay and Decay(*decay))
    )
    refit = {"refit_epochs": epochs, "refit_interactions": len(whole.split.train.indices)}
    history = pd.DataFrame(chosen["history"], columns=list(COLUMNS))
    return fitted._replace(history=history, facts={**chosen["facts"], **refit})


def _tell_of_refit(callback: Callback, progress: TrainingProgress) -> None:
    """Report the progress of a refit; its numbers are no part of the course of the training."""
    callback(progress._replace(message=f"refit: {progress.message}", values={}))


def _fit_once(
    method: Method[Any],
    task: Task,
    parsed: Any,
    checkpoint: Checkpoint | None,
    callback: Callback,
    repeat: Repeat | None = None,
) -> Fitted:
    """Train a method; ``repeat``: for as many epochs as an earlier training."""
    if isinstance(method, GraphMethod):
        loop = import_module(GRAPH_LOOP)
        fitted: Fitted = loop.fit_graph(method, task, parsed, checkpoint, callback, repeat)
        return fitted
    if isinstance(method, EpochMethod):
        last = repeat.epochs if repeat else parsed.epochs
        epochs = islice(method.epochs(task, parsed), last)
        return _fit_epochs(epochs, task, last, parsed.patience, callback)
    if isinstance(method, VectorMethod):
        epoch = Epoch(*method.vectors(task, parsed))
        return _fit_epochs([epoch], task, 1, 0, callback)
    assert isinstance(method, HashMethod)
    assert task.pretrained is not None
    codes = method.codes(task.pretrained, task, parsed)
    return Fitted(*task.pretrained, *codes, task.bits, History().frame(), {})


def _check_task(method: Method[Any], task: Task) -> None:
    if method.hashes_pretrained and task.pretrained is None:
        raise InputError(
            "this method hashes the vectors of another one: "
            "name it with the key pretrained of the model's entry"
        )
    if method.takes_training and task.negatives is None:
        raise InputError(
            "this method trains on the workflow's negatives: "
            "remove shared_training from the model's entry"
        )


def _fit_epochs(
    epochs: Iterable[Epoch], task: Task, most: int, patience: int, callback: Callback
) -> Fitted:
    """Validate each epoch by continuous search and keep the best; codes are the vectors' signs."""
    history, auc = History(), PairwiseAuc(task.split, task.seed)
    best_recall, best_number, best = -1.0, 0, None
    for number, epoch in enumerate(epochs, start=1):
        _check_epoch(epoch, number)
        sides = Representation(None, epoch.users), Representation(None, epoch.items)
        recall = validation_recall(*sides, task.split, ["continuous"], task.validation)
        message = epoch_line(number, task.validation.validation_cutoff, recall)
        _note_epoch(history, auc, number, epoch)
        callback(TrainingProgress(number, most, message, epoch=number, recall=recall))
        if not recall <= best_recall:
            best_recall, best_number = recall, number
            best = epoch.users.copy(), epoch.items.copy()
        if 0 < patience <= number - best_number:
            break
    if best is None:
        raise ValueError("no epochs")
    facts = {"best_epoch": best_number, "validation_hr": best_recall}
    users, items = best
    return Fitted(users, items, pack(users), pack(items), users.shape[1], history.frame(), facts)


def _check_epoch(epoch: Epoch, number: int) -> None:
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


def _note_epoch(history: History, auc: PairwiseAuc, number: int, epoch: Epoch) -> None:
    vectors = torch.from_numpy(epoch.users), torch.from_numpy(epoch.items)
    history.add(loss=epoch.loss)
    history.close_interval(
        iteration=number,
        epoch=number,
        p=1.0,
        auc=auc.of_vectors(*vectors),
        auc_codes=auc.of_codes(*vectors),
    )
