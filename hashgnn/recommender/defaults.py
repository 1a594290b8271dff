"""Methods with the hyper-parameters that the workflow's own config gives them."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

import yaml

from hashgnn.config import methods as experiment
from hashgnn.config.settings import parse, require
from hashgnn.errors import InputError, did_you_mean, shown
from hashgnn.experiment.runs import base_model, variant

# At least so many steps an epoch, as far as that leaves batches of a useful size.
_STEPS, _LEAST_BATCH = 32, 256


class Recipe(NamedTuple):
    """A method's module and hyper-parameters, and how many negatives it wants how often.

    ``negatives`` is None for a method that draws its own, if any.
    """

    module: str
    parameters: dict[str, Any]
    negatives: int | None
    rounds: int


@dataclass(frozen=True)
class _Drawn:
    negatives: int

    def __post_init__(self) -> None:
        require(self, negatives=1)


def recipe(method: str, parameters: Mapping[str, Any], n_interactions: int) -> Recipe:
    """The config's entry ``method`` with ``parameters`` on top, as in a sweep of the workflow.

    Dots in a key lead into a nested one, which may also be given in part; ``negatives`` are those
    drawn for each interaction. The batch, unless given, is fitted to the task: where the config's
    would make fewer than 32 steps an epoch of ``n_interactions``, it is the power of two that makes
    as many, from 256 on. ``InputError`` for a method that is none.
    """
    check_method(method)
    entry = variant(_config()["models"][method], parameters)
    config = {**_config(), "datasets": {"own": {}}, "models": {method: entry}}
    made, negatives = experiment.parameters(config, "own", method), None
    if experiment.shares_training(entry):
        drawn = {"negatives": experiment.negatives(config, method)}
        negatives = parse(_Drawn, drawn, "parameters").negatives
        if "batch_size" not in parameters:
            made["batch_size"] = _batch_size(made["batch_size"], n_interactions)
    return Recipe(entry["module"], made, negatives, config["triplets"]["rounds"])


def check_method(method: str) -> None:
    """``InputError`` unless ``method`` trains its own vectors in the workflow's config."""
    models = _config()["models"]
    usable = [name for name in models if "pretrained" not in models[name]]
    if method not in usable:
        nearest = did_you_mean(method, usable)
        raise InputError(f"method {shown(method)}: expected one of {', '.join(usable)}{nearest}")


def arguments(record: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``HashGNN`` that train again what a ``record`` tells of.

    A variant of a sweep or of tuning is its model with the hyper-parameters that the record has.
    """
    settings = record["settings"]
    method = base_model(settings.get("model", ""))
    if _config()["models"].get(method, {}).get("module") != settings["method"]:
        method = settings["method"]  # of another config: none that ``check_method`` would take
    chosen = {"bits": settings["bits"], "method": method, "seed": settings["seed"]}
    chosen["device"] = record.get("device_option", "auto")
    if "validation" in settings:
        chosen["validation"] = settings["validation"]
    if settings.get("negatives") is not None:
        chosen["negatives"] = settings["negatives"]
    return {**chosen, **settings["parameters"]}


def _batch_size(largest: int, n_interactions: int) -> int:
    fitting = 1 << max(0, (n_interactions // _STEPS).bit_length() - 1)
    return min(largest, max(_LEAST_BATCH, fitting))


@functools.cache
def _config() -> Any:
    text = resources.files("hashgnn.recommender").joinpath("config.yaml").read_text("utf-8")
    return yaml.safe_load(text)
