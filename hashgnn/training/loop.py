"""The training loop of the graph methods: steps, validation, history and checkpoints."""

import copy
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hashgnn.data.negatives import DrawnNegatives
from hashgnn.errors import InputError
from hashgnn.graph import Graph, NeighborSampler, bipartite_graph
from hashgnn.models.graph_hasher import Batch, Embedded, GraphHasher
from hashgnn.models.method import GraphMethod, GraphParameters, Progress, Task
from hashgnn.search import Representation
from hashgnn.stage.command import report
from hashgnn.stage.record import peak_memory_mb
from hashgnn.training.checkpoint import Checkpoint, State
from hashgnn.training.fit import Decay, Fitted, Repeat
from hashgnn.training.length import is_rising, length_of
from hashgnn.training.monitoring import (
    Callback,
    History,
    PairwiseAuc,
    TrainingProgress,
    epoch_line,
    measured,
    of_some_users,
    validation_recall,
)
from hashgnn.training.steps import Batches, Choice, Steps, choose_engine


class Training:
    """The state of a training of a graph method."""

    def __init__(
        self,
        model: GraphHasher,
        graph: Graph,
        parameters: GraphParameters,
        task: Task,
        checkpoint: Checkpoint | None,
        callback: Callback,
        repeat: Repeat | None = None,
    ) -> None:
        self.model = model
        self.graph = graph
        self.parameters = parameters
        self.task = task
        self.checkpoint = checkpoint
        self.callback = callback
        assert task.negatives is not None
        self.batches = Batches(
            task.split.train,
            task.negatives,
            NeighborSampler(graph, parameters.fanouts, parameters.neighbor_share),
            parameters.batch_size,
            task.seed,
            task.device,
            by_user=parameters.batch_by == "users",
        )
        self.batches.weight = task.split.train_weight
        if graph.features is not None:
            self.batches.in_place_of = _known_items(graph)
        decay = repeat.decay if repeat else None
        self.length = length_of(parameters, len(self.batches), decay)
        self.epochs = repeat.epochs if repeat else self.length.most
        self._repeats = repeat is not None
        self.recalls: list[float] = []
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
        """Train as long as ``length`` says, or as many epochs as are to be repeated.

        Resumes from the checkpoint, if there is one. Reports if validation recall was still rising
        at the end.
        """
        for choice in self.steps.choices:
            self._report(choice)
        self._resume()
        epoch = self.iteration // len(self.batches)
        while not self._is_over():
            self._train_epoch(epoch)
            self._validate(epoch)
            self._save()
            epoch += 1
        if not self._repeats and self._ended_early():
            message = "validation recall was still rising when the training ended"
            self._report(f"{message}: {self.length.advice()}")

    def _is_over(self) -> bool:
        if self._repeats:
            return len(self.recalls) >= self.epochs
        return self.length.is_over(self.recalls)

    def _ended_early(self) -> bool:
        return len(self.recalls) >= self.length.most and is_rising(self.recalls)

    def fitted(self) -> Fitted:
        """Return the vectors and codes of the best epoch."""
        self.model.load_state_dict(self.best_weights)
        users, items = self._embed()
        facts = {
            "best_epoch": self.best_epoch + 1,
            "validation_hr": self.best_recall,
            "choices": self.steps.choices,
            **({"decay": list(self.length.decay)} if self.length.decay else {}),
        }
        vectors, codes = (users.array(), items.array()), (users.codes(), items.codes())
        weights = {name: w.cpu().numpy() for name, w in self.model.state_dict().items()}
        return Fitted(*vectors, *codes, self.task.bits, self.history.frame(), facts, weights)

    def _train_epoch(self, epoch: int) -> None:
        self.model.train()
        for batch in self.batches.epoch(epoch, first=self.iteration % len(self.batches)):
            self.history.add(loss=self._step(batch))
            if (self.iteration + 1) % self.parameters.history_every == 0:
                self._close_interval(epoch)
            self.iteration += 1
            report(self.iteration, self.epochs * len(self.batches), "iterations")
            if self.iteration % len(self.batches):  # the epoch's last state follows validation
                self._save()

    def _step(self, batch: Batch) -> float:
        self._rng.manual_seed(self.task.seed * 1_000_003 + self.iteration)
        rate = self.parameters.learning_rate * self.length.factor(self.iteration)
        self.steps.set_learning_rate(rate)
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
        left = (self.epochs * len(self.batches) - self.iteration) * seconds
        areas = measured(auc=row["auc"], auc_codes=row["auc_codes"])
        told = [f"{name.removeprefix('auc_')} {value:.4f}  " for name, value in areas.items()]
        self._report(
            f"iteration {row['iteration']}  loss {row['loss']:.4f}  {''.join(told)}"
            f"p {row['p']:.2f}  {self.batches.batch_size / seconds:,.0f} edges/s  "
            f"{left / 60:.1f} min left  peak {peak_memory_mb():,} MB",
            loss=row["loss"],
            **areas,
            p=row["p"],
            edges_per_s=self.batches.batch_size / seconds,
        )

    def _validate(self, epoch: int) -> None:
        self._check_weights()
        users, items = (Representation(nodes.codes(), nodes.array()) for nodes in self._embed())
        by, searches = self.task.validation, self.model.selected_by
        recall = validation_recall(users, items, self.validated, searches, by)
        self.recalls.append(recall)
        if not recall <= self.best_recall:  # NaN, where nothing is held out, keeps the last epoch
            self.best_recall, self.best_epoch = recall, epoch
            self.best_weights = copy.deepcopy(self.model.state_dict())
        message = epoch_line(epoch + 1, by.validation_cutoff, recall)
        progress = self._report_of(message, **measured(validation_hr=recall))
        self.callback(progress._replace(epoch=epoch + 1, recall=recall))

    def _report(self, message: str, **values: float) -> None:
        self.callback(self._report_of(message, **values))

    def _report_of(self, message: str, **values: float) -> TrainingProgress:
        iterations = self.epochs * len(self.batches)
        return TrainingProgress(self.iteration, iterations, message, values)

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
            "recalls": self.recalls,
            "decay": self.length.decay and list(self.length.decay),
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
        self.recalls = state["recalls"]
        self.length.decay = state["decay"] and Decay(*state["decay"])
        self._report(f"resumed after iteration {self.iteration}")

    def _embed(self) -> tuple[Embedded, Embedded]:
        self.model.eval()
        return self.model.propagate(self.graph).split(self.graph.n_users)


def _known_items(graph: Graph) -> np.ndarray:
    """Return an item with interactions for each item: itself, if it has some.

    As negatives, items without interactions would teach that their features are disliked.
    """
    new = graph.isolated()[graph.n_users :]
    known = np.flatnonzero(~new).astype(np.int32)
    items = np.arange(len(new), dtype=np.int32)
    items[new] = known[np.arange(np.count_nonzero(new)) * 7919 % len(known)]
    return items


def with_own_negatives(task: Task, like: np.ndarray | DrawnNegatives) -> Task:
    """Return ``task`` with as many negatives as ``like`` has, of its own training interactions."""
    rounds, _, per_interaction = like.shape
    return replace(task, negatives=DrawnNegatives(task.split, per_interaction, rounds, task.seed))


def fit_graph(
    method: GraphMethod[Any],
    task: Task,
    parameters: GraphParameters,
    checkpoint: Checkpoint | None,
    callback: Callback,
    repeat: Repeat | None = None,
) -> Fitted:
    """Train a graph method; see ``hashgnn.training.fit.fit``.

    ``repeat``: stop after so many epochs, on the schedules of an earlier training.
    """
    pretrained = []
    if method.hashes_pretrained:
        assert task.pretrained is not None
        pretrained.append(torch.from_numpy(np.concatenate(task.pretrained)))
    torch.manual_seed(task.seed)
    graph = bipartite_graph(task.split.train, task.split.n_items)._replace(features=task.features)
    model = method.model(graph, task.bits, parameters, *pretrained).to(task.device)
    if task.split.train_weight is not None:
        items = task.split.train.indices, task.split.train_weight, task.split.n_items
        model.weigh_items(torch.from_numpy(np.bincount(*items)).to(task.device))
    training = Training(model, graph, parameters, task, checkpoint, callback, repeat)
    training.run()
    return training.fitted()
