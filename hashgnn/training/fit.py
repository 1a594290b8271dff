"""Training of the graph methods: the loop that all of them share."""

import copy
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hashgnn.config.settings import parse
from hashgnn.errors import InputError
from hashgnn.graph.bipartite import Graph, bipartite_graph
from hashgnn.models.base import Embedded, GraphHasher
from hashgnn.models.hashing import Progress
from hashgnn.models.settings import TrainingSettings
from hashgnn.models.task import Fitted, Moment, Task
from hashgnn.stage.record import peak_memory_mb
from hashgnn.training.batches import Batch, Batches
from hashgnn.training.checkpoint import State
from hashgnn.training.engine import Choice
from hashgnn.training.history import History
from hashgnn.training.optimizer import cosine
from hashgnn.training.steps import Steps, choose_engine
from hashgnn.training.validation import PairwiseAuc, of_some_users, validation_hr

HasherClass = Callable[[Graph, int, Any], GraphHasher]


def fit_hasher(kind: HasherClass, settings_kind: type[TrainingSettings], task: Task) -> Fitted:
    """Train a method of class ``kind`` and return the epoch that did best on validation."""
    settings = parse(settings_kind, task.parameters, "parameters")
    torch.manual_seed(task.seed)
    graph = bipartite_graph(task.split.train, task.split.n_items)
    model = kind(graph, task.bits, settings).to(task.device)
    training = _Training(model, graph, settings, task)
    training.run()
    return training.fitted()


class _Training:
    """State of one training."""

    def __init__(
        self, model: GraphHasher, graph: Graph, settings: TrainingSettings, task: Task
    ) -> None:
        self.model = model
        self.graph = graph
        self.settings = settings
        self.task = task
        self.batches = Batches(
            task.split.train,
            task.negatives(),
            graph,
            settings.fanouts,
            settings.batch_size,
            task.seed,
            task.device,
            by_user=settings.batch_by == "users",
        )
        self._resumed = task.checkpoint.load()
        self.choice = self._choose()
        self.steps = Steps(model, graph, self.batches, settings, self.choice)
        self.validated = of_some_users(task.split, settings.validated_users, task.seed)
        self.auc = PairwiseAuc(self.validated, task.seed)
        self.history = History()
        self.iteration = 0
        self.best_hr = -1.0
        self.best_epoch = 0
        self.best_weights: dict[str, Tensor] = {}
        self._rng = torch.Generator(task.device)
        self._interval_began = time.perf_counter()

    def run(self) -> None:
        """All epochs, or until validation HR has not risen for ``patience`` of them.

        Goes on from the task's checkpoint, if it has one.
        """
        for choice in self.steps.choices:
            self._say(choice)
        self._resume()
        epoch = self.iteration // len(self.batches)
        while epoch < self.settings.epochs and not self._is_stuck(epoch):
            self._train_epoch(epoch)
            self._validate(epoch)
            self.task.checkpoint.save_if_due(self._state)
            epoch += 1

    def _is_stuck(self, epoch: int) -> bool:
        return 0 < self.settings.patience < epoch - self.best_epoch

    def fitted(self) -> Fitted:
        """Vectors and codes of the best epoch."""
        self.model.load_state_dict(self.best_weights)
        users, items = self._embed()
        facts = {
            "best_epoch": self.best_epoch + 1,
            "validation_hr": self.best_hr,
            "choices": self.steps.choices,
        }
        vectors, codes = (users.array(), items.array()), (users.codes(), items.codes())
        return Fitted(*vectors, *codes, self.task.bits, self.history.frame(), facts)

    def _train_epoch(self, epoch: int) -> None:
        self.model.train()
        for batch in self.batches.epoch(epoch, first=self.iteration % len(self.batches)):
            self.history.add(loss=self._step(batch))
            if (self.iteration + 1) % self.settings.history_every == 0:
                self._close_interval(epoch)
            self.iteration += 1
            if self.iteration % len(self.batches):  # the epoch's last state follows validation
                self.task.checkpoint.save_if_due(self._state)

    def _step(self, batch: Batch) -> float:
        self._rng.manual_seed(self.task.seed * 1_000_003 + self.iteration)
        share = self.iteration / (self.settings.epochs * len(self.batches))
        self.steps.set_learning_rate(
            self.settings.learning_rate * cosine(share, self.settings.learning_rate_end)
        )
        value = self.steps(batch, self._progress, self._rng)
        if not np.isfinite(value):
            raise self._diverged(f"the loss is {value}", self.iteration + 1)
        return value

    def _diverged(self, what: str, iteration: int) -> InputError:
        return InputError(
            f"{what} at iteration {iteration:,}, with a learning rate of "
            f"{self.settings.learning_rate:g}: lower learning_rate or scale in the model's "
            "parameters; with other parameters the training begins anew"
        )

    def _check_weights(self) -> None:
        """A step may leave weights that are not finite although its own loss was."""
        for weights in self.model.state_dict().values():
            if not weights.isfinite().all():
                raise self._diverged("the weights are no longer finite", self.iteration)

    def _close_interval(self, epoch: int) -> None:
        users, items = self._embed()
        row = self.history.close_interval(
            iteration=self.iteration + 1,
            epoch=epoch + 1,
            p=self.model.probability(self._progress),
            auc=self.auc.of_vectors(users.vectors, items.vectors),
            auc_codes=self.auc.of_codes(users.hashed, items.hashed),
        )
        self._report(row)

    def _report(self, row: dict[str, float]) -> None:
        now = time.perf_counter()
        seconds, self._interval_began = now - self._interval_began, now
        seconds /= self.settings.history_every
        left = (self.settings.epochs * len(self.batches) - self.iteration) * seconds
        self._say(
            f"iteration {row['iteration']}  loss {row['loss']:.4f}  auc {row['auc']:.4f}  "
            f"codes {row['auc_codes']:.4f}  p {row['p']:.2f}  "
            f"{self.batches.batch_size / seconds:,.0f} edges/s  {left / 60:.1f} min left  "
            f"peak {peak_memory_mb():,} MB",
            **{name: row[name] for name in ("loss", "auc", "auc_codes", "p")},
            edges_per_s=self.batches.batch_size / seconds,
        )

    def _validate(self, epoch: int) -> None:
        self._check_weights()
        users, items = (nodes.encoded() for nodes in self._embed())
        hr = validation_hr(users, items, self.validated, self.model.selected_by)
        if not hr <= self.best_hr:  # NaN, where nothing is held out, keeps the last epoch
            self.best_hr, self.best_epoch = hr, epoch
            self.best_weights = copy.deepcopy(self.model.state_dict())
        self._say(f"epoch {epoch + 1}  validation HR {hr:.4f}", validation_hr=hr)

    def _say(self, news: str, **values: float) -> None:
        iterations = self.settings.epochs * len(self.batches)
        self.task.watch(Moment(self.iteration, iterations, news, values))

    @property
    def _progress(self) -> Progress:
        return Progress(self.iteration, len(self.batches))

    def _state(self) -> State:
        self._check_weights()
        return {
            "choice": list(self.choice),
            "iteration": self.iteration,
            "weights": self.model.state_dict(),
            "optimizer": self.steps.optimizer.state_dict(),
            "history": self.history.state(),
            "best": [self.best_hr, self.best_epoch, self.best_weights],
        }

    def _choose(self) -> Choice:
        """As it was chosen, where the training goes on: a clock need not say the same again."""
        if self._resumed:
            return Choice(*self._resumed["choice"])
        return choose_engine(self.model, self.graph, self.batches, self.settings)

    def _resume(self) -> None:
        state, self._resumed = self._resumed, None
        if state is None:
            return
        self.iteration = state["iteration"]
        self.model.load_state_dict(state["weights"])
        self.steps.optimizer.load_state_dict(state["optimizer"])
        self.history.restore(state["history"])
        self.best_hr, self.best_epoch, self.best_weights = state["best"]
        self._say(f"resumed after iteration {self.iteration}")

    def _embed(self) -> tuple[Embedded, Embedded]:
        self.model.eval()
        return self.model.propagate(self.graph).split(self.graph.n_users)
