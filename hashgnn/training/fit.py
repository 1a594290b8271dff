"""Train a method as its declaration says, and keep the epoch that does best on validation."""

import copy
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hashgnn.config.base import parse
from hashgnn.errors import InputError
from hashgnn.evaluation.representation import Encoded
from hashgnn.graph.bipartite import Graph, bipartite_graph
from hashgnn.models.graph_hasher import Batch, Embedded, GraphHasher, pack
from hashgnn.models.method import (
    Epoch,
    EpochMethod,
    GraphMethod,
    GraphParameters,
    HashMethod,
    Method,
    Progress,
    Task,
    VectorMethod,
    Vectors,
)
from hashgnn.search.validation import MAX_BITS
from hashgnn.stage.record import peak_memory_mb
from hashgnn.training.batches import Batches
from hashgnn.training.checkpoint import Checkpoint, State
from hashgnn.training.optimizer import cosine
from hashgnn.training.steps import Choice, Steps, choose_engine
from hashgnn.training.validation import History, PairwiseAuc, of_some_users, validation_recall


class TrainingProgress(NamedTuple):
    """What a callback is called with during a training."""

    iteration: int
    """Iterations done; epochs, for methods that train themselves."""

    iterations: int
    """Iterations of the whole training."""

    message: str
    """A line for people."""

    values: Mapping[str, float] = MappingProxyType({})
    """The numbers of ``message`` by name, where there are any."""


Callback = Callable[[TrainingProgress], None]


def print_progress(progress: TrainingProgress) -> None:
    """Print a line to stderr, for the log of a job."""
    print(progress.message, file=sys.stderr, flush=True)


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
    """Length of the codes, which may differ from the one asked for."""

    history: pd.DataFrame
    """See ``History``."""

    facts: Mapping[str, Any]
    """Further entries of the provenance."""

    def recorded(self) -> dict[str, Any]:
        """Return the entries of the provenance."""
        return {"code_bits": self.bits, **self.facts}


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
) -> Fitted:
    """Train a method.

    Args:
        method: Its declaration.
        task: What it trains on.
        parameters: Its hyper-parameters as in the configuration.
        checkpoint: Where an interrupted training is saved and resumed from.
        callback: Called from time to time with the progress.

    Returns:
        The epoch with the best validation recall; without validation interactions, the last one.

    Raises:
        InputError: For hyper-parameters or data that the method cannot be trained with.
    """
    parsed = parse(method.parameters, {**parameters, **method.fixed}, "parameters")
    if isinstance(method, GraphMethod):
        return _fit_graph(method, task, parsed, checkpoint, callback)
    if isinstance(method, EpochMethod):
        epochs = method.epochs(task, parsed)
        return _fit_epochs(epochs, task, parsed.epochs, parsed.patience, callback)
    if isinstance(method, VectorMethod):
        epoch = Epoch(*method.vectors(task, parsed))
        return _fit_epochs([epoch], task, 1, 0, callback)
    assert isinstance(method, HashMethod)
    vectors = _pretrained(task)
    codes = method.codes(vectors, task, parsed)
    return Fitted(*vectors, *codes, task.bits, History().frame(), {})


def _pretrained(task: Task) -> Vectors:
    if task.pretrained is None:
        raise InputError(
            "this method hashes the vectors of another one: "
            "name it with the key pretrained of the model's entry"
        )
    return task.pretrained


def _negatives(task: Task) -> np.ndarray:
    if task.negatives is None:
        raise InputError(
            "this method trains on the workflow's negatives: "
            "leave shared_training out of the model's entry"
        )
    return task.negatives


def _fit_epochs(
    epochs: Iterable[Epoch], task: Task, most: int, patience: int, callback: Callback
) -> Fitted:
    """Validate each epoch by continuous search and keep the best; codes are the vectors' signs."""
    history, auc = History(), PairwiseAuc(task.split, task.seed)
    best_recall, best_number, best = -1.0, 0, None
    for number, epoch in enumerate(epochs, start=1):
        _check_epoch(epoch, number)
        sides = Encoded(None, epoch.users), Encoded(None, epoch.items)
        recall = validation_recall(*sides, task.split, ["continuous"])
        message = f"epoch {number}  validation HR {recall:.4f}"
        callback(TrainingProgress(number, most, message))
        _note_epoch(history, auc, number, epoch)
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


def _fit_graph(
    method: GraphMethod[Any],
    task: Task,
    parameters: GraphParameters,
    checkpoint: Checkpoint | None,
    callback: Callback,
) -> Fitted:
    pretrained = []
    if method.hashes_pretrained:
        pretrained.append(torch.from_numpy(np.concatenate(_pretrained(task))))
    torch.manual_seed(task.seed)
    graph = bipartite_graph(task.split.train, task.split.n_items)
    model = method.model(graph, task.bits, parameters, *pretrained).to(task.device)
    training = _Training(model, graph, parameters, task, checkpoint, callback)
    training.run()
    return training.fitted()


class _Training:
    """The state of a training of a graph method."""

    def __init__(
        self,
        model: GraphHasher,
        graph: Graph,
        parameters: GraphParameters,
        task: Task,
        checkpoint: Checkpoint | None,
        callback: Callback,
    ) -> None:
        self.model = model
        self.graph = graph
        self.parameters = parameters
        self.task = task
        self.checkpoint = checkpoint
        self.callback = callback
        self.batches = Batches(
            task.split.train,
            _negatives(task),
            graph,
            parameters.fanouts,
            parameters.batch_size,
            task.seed,
            task.device,
            by_user=parameters.batch_by == "users",
        )
        self._resumed = checkpoint.load() if checkpoint else None
        self.choice = self._choose()
        self.steps = Steps(model, graph, self.batches, parameters, self.choice)
        self.validated = of_some_users(task.split, parameters.validated_users, task.seed)
        self.auc = PairwiseAuc(self.validated, task.seed)
        self.history = History()
        self.iteration = 0
        self.best_recall = -1.0
        self.best_epoch = 0
        self.best_weights: dict[str, Tensor] = {}
        self._rng = torch.Generator(task.device)
        self._interval_began = time.perf_counter()

    def run(self) -> None:
        """Train all epochs, or until validation recall has not risen for ``patience`` of them.

        Resumes from the checkpoint, if there is one.
        """
        for choice in self.steps.choices:
            self._report(choice)
        self._resume()
        epoch = self.iteration // len(self.batches)
        while epoch < self.parameters.epochs and not self._is_stuck(epoch):
            self._train_epoch(epoch)
            self._validate(epoch)
            self._save()
            epoch += 1

    def _is_stuck(self, epoch: int) -> bool:
        return 0 < self.parameters.patience < epoch - self.best_epoch

    def fitted(self) -> Fitted:
        """Return the vectors and codes of the best epoch."""
        self.model.load_state_dict(self.best_weights)
        users, items = self._embed()
        facts = {
            "best_epoch": self.best_epoch + 1,
            "validation_hr": self.best_recall,
            "choices": self.steps.choices,
        }
        vectors, codes = (users.array(), items.array()), (users.codes(), items.codes())
        return Fitted(*vectors, *codes, self.task.bits, self.history.frame(), facts)

    def _train_epoch(self, epoch: int) -> None:
        self.model.train()
        for batch in self.batches.epoch(epoch, first=self.iteration % len(self.batches)):
            self.history.add(loss=self._step(batch))
            if (self.iteration + 1) % self.parameters.history_every == 0:
                self._close_interval(epoch)
            self.iteration += 1
            if self.iteration % len(self.batches):  # the epoch's last state follows validation
                self._save()

    def _step(self, batch: Batch) -> float:
        self._rng.manual_seed(self.task.seed * 1_000_003 + self.iteration)
        share = self.iteration / (self.parameters.epochs * len(self.batches))
        self.steps.set_learning_rate(
            self.parameters.learning_rate * cosine(share, self.parameters.learning_rate_end)
        )
        value = self.steps(batch, self._progress, self._rng)
        if not np.isfinite(value):
            raise self._diverged(f"the loss is {value}", self.iteration + 1)
        return value

    def _diverged(self, what: str, iteration: int) -> InputError:
        return InputError(
            f"{what} at iteration {iteration:,}, with a learning rate of "
            f"{self.parameters.learning_rate:g}: lower learning_rate or scale in the model's "
            "parameters; with other parameters the training starts from the beginning"
        )

    def _check_weights(self) -> None:
        """Raise ``InputError`` for weights that are not finite, which a finite loss may leave."""
        for weights in self.model.state_dict().values():
            if not weights.isfinite().all():
                raise self._diverged("the weights are not finite", self.iteration)

    def _close_interval(self, epoch: int) -> None:
        users, items = self._embed()
        row = self.history.close_interval(
            iteration=self.iteration + 1,
            epoch=epoch + 1,
            p=self.model.probability(self._progress),
            auc=self.auc.of_vectors(users.vectors, items.vectors),
            auc_codes=self.auc.of_codes(users.hashed, items.hashed),
        )
        self._report_interval(row)

    def _report_interval(self, row: dict[str, float]) -> None:
        now = time.perf_counter()
        seconds, self._interval_began = now - self._interval_began, now
        seconds /= self.parameters.history_every
        left = (self.parameters.epochs * len(self.batches) - self.iteration) * seconds
        self._report(
            f"iteration {row['iteration']}  loss {row['loss']:.4f}  auc {row['auc']:.4f}  "
            f"codes {row['auc_codes']:.4f}  p {row['p']:.2f}  "
            f"{self.batches.batch_size / seconds:,.0f} edges/s  {left / 60:.1f} min left  "
            f"peak {peak_memory_mb():,} MB",
            **{name: row[name] for name in ("loss", "auc", "auc_codes", "p")},
            edges_per_s=self.batches.batch_size / seconds,
        )

    def _validate(self, epoch: int) -> None:
        self._check_weights()
        users, items = (Encoded(nodes.codes(), nodes.array()) for nodes in self._embed())
        recall = validation_recall(users, items, self.validated, self.model.selected_by)
        if not recall <= self.best_recall:  # NaN, where nothing is held out, keeps the last epoch
            self.best_recall, self.best_epoch = recall, epoch
            self.best_weights = copy.deepcopy(self.model.state_dict())
        self._report(f"epoch {epoch + 1}  validation HR {recall:.4f}", validation_hr=recall)

    def _report(self, message: str, **values: float) -> None:
        iterations = self.parameters.epochs * len(self.batches)
        self.callback(TrainingProgress(self.iteration, iterations, message, values))

    @property
    def _progress(self) -> Progress:
        return Progress(self.iteration, len(self.batches))

    def _save(self) -> None:
        if self.checkpoint:
            self.checkpoint.save_if_due(self._state)

    def _state(self) -> State:
        self._check_weights()
        return {
            "choice": list(self.choice),
            "iteration": self.iteration,
            "weights": self.model.state_dict(),
            "optimizer": self.steps.optimizer.state_dict(),
            "history": self.history.state(),
            "best": [self.best_recall, self.best_epoch, self.best_weights],
        }

    def _choose(self) -> Choice:
        """Return the saved choice if resumed: another timing could choose differently."""
        if self._resumed:
            return Choice(*self._resumed["choice"])
        return choose_engine(self.model, self.graph, self.batches, self.parameters)

    def _resume(self) -> None:
        state, self._resumed = self._resumed, None
        if state is None:
            return
        self.iteration = state["iteration"]
        self.model.load_state_dict(state["weights"])
        self.steps.optimizer.load_state_dict(state["optimizer"])
        self.history.restore(state["history"])
        self.best_recall, self.best_epoch, self.best_weights = state["best"]
        self._report(f"resumed after iteration {self.iteration}")

    def _embed(self) -> tuple[Embedded, Embedded]:
        self.model.eval()
        return self.model.propagate(self.graph).split(self.graph.n_users)
