"""The engine of a training: the one that its settings name, or the one that is faster here."""

import copy
import time
from itertools import count

import torch

from hashgnn.graph.bipartite import Graph
from hashgnn.hashing.progress import Progress
from hashgnn.models.graph_hasher import GraphHasher
from hashgnn.training.batches import Batches
from hashgnn.training.engine import Choice, Engine, choose_faster
from hashgnn.training.settings import TrainingSettings
from hashgnn.training.steps import Steps


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
