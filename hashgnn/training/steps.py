"""One step of a training: propagate, compare, go back, update."""

import copy
import time
from itertools import count

import torch
from torch import Tensor

from hashgnn.graph.bipartite import Graph
from hashgnn.models.base import GraphHasher
from hashgnn.models.hashing import Progress
from hashgnn.models.settings import TrainingSettings
from hashgnn.training.batches import Batch, Batches, Sampling
from hashgnn.training.engine import Choice, Engine, choose_faster
from hashgnn.training.optimizer import DenseAdam, TouchedAdam, touches_few

# Where layers may multiply in bfloat16; the kernels of the CPU do not.
_MIXED = ("cuda",)


class Steps:
    """Steps by the engine that was chosen, with the optimizer that the first batch asks for.

    ``choices`` says what was chosen, and why.
    """

    def __init__(
        self,
        model: GraphHasher,
        graph: Graph,
        batches: Batches,
        settings: TrainingSettings,
        choice: Choice,
    ) -> None:
        self.model = model
        self.graph = graph
        self.dropout = settings.embedding_dropout
        first = next(batches.epoch(0))
        self.engine = choice.engine
        self.choices = [f"engine: {choice.engine} ({choice.reason})"]
        n_read, n_nodes = _count_read(first), graph.n_nodes
        learns = self.engine == "sampled" and model.embedding.requires_grad
        learns = learns and settings.user_embeddings
        few = learns and touches_few(settings.embedding_updates, n_read, n_nodes)
        if learns:
            which = "only those that a step reads" if few else "all"
            share = f"the first batch reads {n_read:,} of {n_nodes:,}"
            self.choices.append(f"embeddings updated: {which} ({share})")
        device = model.embedding.device.type
        self.mixed = settings.mixed_precision and device in _MIXED
        if settings.mixed_precision:
            self.choices.append(f"layers multiply in {'bfloat16' if self.mixed else 'float32'}")
        self.optimizer = (TouchedAdam if few else DenseAdam)(model, settings.learning_rate)
        sampling: Sampling = "sources" if few else "sampled"
        batches.sampling = "whole" if self.engine == "full" else sampling

    def __call__(self, batch: Batch, progress: Progress, rng: torch.Generator) -> float:
        """Take the step that ``batch`` gives, and return its loss."""
        x = drop(self.optimizer.read(batch.sources), self.dropout, rng)
        a = self._propagate(x, batch)
        loss = self.model.batch_loss(a, batch, progress, rng)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def set_learning_rate(self, rate: float) -> None:
        """For the steps to come."""
        self.optimizer.set_learning_rate(rate)

    def _propagate(self, x: Tensor, batch: Batch) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.mixed):
            if self.engine == "full":
                a = self.model.forward_whole(x, self.graph, batch.nodes, batch.n_users)
            else:
                a = self.model(x, batch.blocks, batch.n_users, batch.sources)
        return a.float()


def drop(x: Tensor, rate: float, rng: torch.Generator) -> Tensor:
    """Each number of ``x`` is 0 with probability ``rate``, else divided by 1 - ``rate``.

    Srivastava et al. (2014), Dropout: A Simple Way to Prevent Neural Networks from Overfitting.
    torch's own takes no generator, and a resumed training must draw what it would have drawn.
    """
    if rate == 0:
        return x
    kept = torch.rand(x.shape, generator=rng, device=x.device) >= rate
    return x * kept / (1 - rate)


def _count_read(batch: Batch) -> int:
    """Distinct embeddings that a sampled batch reads."""
    targets, drawn = batch.blocks[0]
    return len(torch.unique(torch.cat([targets, drawn.flatten()])))


def choose_engine(
    model: GraphHasher, graph: Graph, batches: Batches, settings: TrainingSettings
) -> Choice:
    """What ``settings.engine`` says; for ``auto`` both take a few steps with copies of ``model``.

    Leaves the model, the batches and torch's random state as they were.
    """
    if settings.engine != "auto":
        return Choice(settings.engine, "as the settings say")
    tried: dict[Engine, _Trial] = {}

    def seconds(engine: Engine) -> float:
        if engine not in tried:
            own, choice = copy.copy(batches), Choice(engine, "tried")
            steps = Steps(copy.deepcopy(model).train(), graph, own, settings, choice)
            tried[engine] = _Trial(steps, own)
        return tried[engine].seconds()

    with torch.random.fork_rng():
        return choose_faster(next(batches.epoch(0)), graph, seconds)


class _Trial:
    """The first steps of a training."""

    def __init__(self, steps: Steps, batches: Batches) -> None:
        self.steps = steps
        self.device = batches.device
        self.progress = Progress(0, len(batches))
        self.rng = torch.Generator(batches.device)
        self.stream = (batch for epoch in count() for batch in batches.epoch(epoch))

    def seconds(self) -> float:
        """Of the next step, from the making of its batch on."""
        began = time.perf_counter()
        self.steps(next(self.stream), self.progress, self.rng)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter() - began
