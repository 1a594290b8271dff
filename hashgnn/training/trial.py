"""The engine of a training: the one that its settings name, or the one that is faster here."""

import copy
import time
from itertools import count

import torch

from hashgnn.graph.bipartite import Graph
from hashgnn.hashing.progress import Progress
from hashgnn.models.graph_hasher import GraphHasher
from hashgnn.training.batches import Batches
from hashgnn.training.engine import Choice, Engine, choose
from hashgnn.training.settings import TrainingSettings
from hashgnn.training.steps import Steps


def choose_engine(
    model: GraphHasher, graph: Graph, batches: Batches, settings: TrainingSettings
) -> Choice:
    """What ``settings.engine`` says; for ``auto`` both take a few steps with copies of ``model``.

    Leaves the model, the batches and torch's random state as they were.
    """
    tried: dict[Engine, _Trial] = {}

    def seconds(engine: Engine) -> float:
        if engine not in tried:
            tried[engine] = _Trial(model, graph, batches, settings, engine)
        return tried[engine].seconds()

    with torch.random.fork_rng():
        return choose(settings.engine, next(batches.epoch(0)), graph, seconds)


class _Trial:
    """The first steps of a training by one engine, of a copy of its model."""

    def __init__(
        self,
        model: GraphHasher,
        graph: Graph,
        batches: Batches,
        settings: TrainingSettings,
        engine: Engine,
    ) -> None:
        own = copy.copy(batches)
        self.device = batches.device
        self.progress = Progress(0, len(batches))
        self.rng = torch.Generator(batches.device)
        choice = Choice(engine, "tried")
        self.steps = Steps(copy.deepcopy(model).train(), graph, own, settings, choice)
        self.stream = (batch for epoch in count() for batch in own.epoch(epoch))

    def seconds(self) -> float:
        """Of the next step, from the making of its batch on."""
        began = time.perf_counter()
        self.steps(next(self.stream), self.progress, self.rng)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter() - began
