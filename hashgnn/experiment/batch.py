"""What one step of a training goes over: distinct nodes, layer by layer, in expectation."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from hashgnn.config.base import parse
from hashgnn.experiment.sizes import Sizes
from hashgnn.models.method import GraphParameters
from hashgnn.training import HOPELESS, TARGET_COST

# Methods without an encoder of their own choice: their modules set these whatever the config says.
_WHOLE = ("hashgnn.models.lightgcn", "hashgnn.models.mf")


class Layer(NamedTuple):
    """``targets`` rows of ``after`` numbers are made of ``links`` rows of ``before``."""

    targets: float
    links: float
    before: int
    after: int


class Training(NamedTuple):
    """One training with the shared settings, as far as its cost goes."""

    sizes: Sizes  # of the training part
    settings: GraphParameters
    bits: int
    negatives: int
    layers: list[Layer]

    @property
    def iterations(self) -> int:
        """Of an epoch."""
        return max(1, round(self.sizes.interactions / self.batch))

    @property
    def batch(self) -> int:
        """Interactions of a step."""
        return max(1, min(self.settings.batch_size, self.sizes.interactions))

    @property
    def rows(self) -> float:
        """Rows that a step reads, targets counted as ``TARGET_COST`` more."""
        return sum(TARGET_COST * layer.targets + layer.links for layer in self.layers)

    @property
    def logits(self) -> float:
        """Pairs of a user and an item that a batch of whole users has."""
        if self.settings.batch_by != "users":
            return 0
        users = self.batch * self.sizes.users / max(1, self.sizes.interactions)
        return users * distinct(self.batch * (1 + self.negatives), self.sizes.items)


def training(
    method: str, sizes: Sizes, parameters: Mapping[str, Any], bits: int, negatives: int
) -> Training:
    """``InputError`` if ``parameters`` have a shared one of a wrong kind."""
    shared = GraphParameters.model_fields
    own = {key: value for key, value in parameters.items() if key in shared}
    if method in _WHOLE:
        widths = [bits] * int(parameters.get("layers", 3) if method == _WHOLE[0] else 1)
        own |= {"embedding_width": bits, "widths": widths, "fanouts": [1], "engine": "full"}
    settings = parse(GraphParameters, own, "parameters")
    layers = _whole if settings.engine == "full" else _sampled
    return Training(sizes, settings, bits, negatives, layers(sizes, settings, negatives))


def tried(job: Training) -> list[Training]:
    """``job`` by whole neighborhoods too, where ``engine: auto`` tries them."""
    layers = _whole(job.sizes, job.settings, job.negatives)
    least = job._replace(layers=layers[1:]).rows  # the last layer goes over the batch's nodes alone
    tries = job.settings.engine == "auto" and least <= HOPELESS * job.rows
    return [job._replace(layers=layers)] if tries else []


def distinct(draws: float, among: int) -> float:
    """Different ones among ``draws`` with replacement, in expectation."""
    return among * -math.expm1(-draws / among) if among else 0


def _sampled(sizes: Sizes, settings: GraphParameters, negatives: int) -> list[Layer]:
    """From the last layer to the first."""
    batch = max(1, min(settings.batch_size, sizes.interactions))
    users = batch * sizes.users / max(1, sizes.interactions)
    if settings.batch_by == "interactions":
        users = distinct(batch, sizes.users)
    targets = users + distinct(batch * (1 + negatives), sizes.items)
    layers = []
    for fanout, (before, after) in zip(settings.fanouts, _widths(settings), strict=False):
        layers.append(Layer(targets, targets * fanout, before, after))
        targets = max(targets, distinct(targets * (1 + fanout), sizes.nodes))
    return layers


def _whole(sizes: Sizes, settings: GraphParameters, negatives: int) -> list[Layer]:
    links = 2 * sizes.interactions
    return [Layer(sizes.nodes, links, *widths) for widths in _widths(settings)]


def _widths(settings: GraphParameters) -> list[tuple[int, int]]:
    """Before and after each layer, from the last to the first."""
    return list(pairwise([settings.embedding_width, *settings.widths]))[::-1]
