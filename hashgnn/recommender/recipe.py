"""Methods with the hyper-parameters that the workflow's own config gives them."""

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Any, NamedTuple

import yaml

from hashgnn.errors import InputError
from hashgnn.experiment import parameters as experiment

# At least so many steps an epoch, as far as that leaves batches of a useful size.
_STEPS, _LEAST_BATCH = 32, 256
_BITS = 32  # that the config's scales were chosen for


class Recipe(NamedTuple):
    """A method's module, its hyper-parameters, and how many negatives it wants how often."""

    module: str
    parameters: dict[str, Any]
    negatives: int
    rounds: int


def recipe(method: str, parameters: Mapping[str, Any], bits: int, n_interactions: int) -> Recipe:
    """The config's entry ``method`` with ``parameters`` on top; ``InputError`` names its peers.

    Two of the config's values, unless given, are fitted to the task. The batch: where it would
    make fewer than 32 steps an epoch of ``n_interactions``, the power of two that makes as many,
    from 256 on. The scale: times 32 / ``bits`` for codes shorter than that, whose logits would
    else be too small to tell items apart (seen on planted groups with 16 bits).
    """
    config = _config()
    methods = config["models"]
    if method not in methods or "pretrained" in methods[method]:
        usable = ", ".join(name for name in methods if "pretrained" not in methods[name])
        raise InputError(f"method {method!r}: expected one of {usable}")
    merged = experiment.parameters({**config, "datasets": {"own": {}}}, "own", method)
    if experiment.takes_training(config, method):
        merged["batch_size"] = _batch_size(merged["batch_size"], n_interactions)
        merged["scale"] *= max(1.0, _BITS / bits)
    negatives = experiment.negatives(config, method)
    module, rounds = methods[method]["module"], config["triplets"]["rounds"]
    return Recipe(module, {**merged, **parameters}, negatives, rounds)


def _batch_size(largest: int, n_interactions: int) -> int:
    fitting = 1 << max(0, (n_interactions // _STEPS).bit_length() - 1)
    return min(largest, max(_LEAST_BATCH, fitting))


@functools.cache
def _config() -> Any:
    text = resources.files("hashgnn.recommender").joinpath("config.yaml").read_text("utf-8")
    return yaml.safe_load(text)
