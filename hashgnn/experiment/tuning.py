"""Which settings tuning tries: the same number for every method."""

import random
from itertools import product
from typing import Any, NamedTuple

from hashgnn.config.methods import Config, negatives, parameters, takes_training
from hashgnn.errors import InputError
from hashgnn.experiment.runs import Entry, variant, variant_id


class Trial(NamedTuple):
    """One setting of a method on a data set, and the model that is trained with it.

    ``values``: of the keys that are tuned; ``configured``: whether the config has them now.
    """

    dataset: str
    method: str
    model: str
    values: dict[str, Any]
    configured: bool


def tried_models(config: Config) -> dict[str, Entry]:
    """An entry of ``models`` for each setting that is tried, by id."""
    tuning = config.get("tuning", {})
    made = {}
    for method in tuning.get("spaces", {}):
        for dataset in tuning["datasets"]:
            for values in settings_tried(config, dataset, method):
                changes = {**tuning["training"], **values}
                entry = variant(config["models"][method], changes)
                made[variant_id(method, changes)] = entry
    return made


def trials(config: Config) -> list[Trial]:
    """All trials, where ``config`` has the models of ``tried_models`` too.

    A setting that the method has anyway is the method itself, which is not trained twice.
    """
    tuning = config["tuning"]
    return [
        Trial(dataset, method, _trained(config, dataset, method, values), values, number == 0)
        for dataset in tuning["datasets"]
        for method in tuning["spaces"]
        for number, values in enumerate(settings_tried(config, dataset, method))
    ]


def settings_tried(config: Config, dataset: str, method: str) -> list[dict[str, Any]]:
    """The setting that the config has, then others drawn without repeats, ``budget`` in all.

    The draw depends on ``tuning.seed`` and the method alone; a space that is smaller than the
    budget is tried whole.
    """
    tuning = config["tuning"]
    space = tuning["spaces"][method]
    own = {key: current(config, dataset, method, key) for key in space}
    others = [dict(zip(space, values, strict=True)) for values in product(*space.values())]
    others = [values for values in others if values != own]
    rng = random.Random(f"{tuning['seed']} {method}")
    return [own, *rng.sample(others, min(tuning["budget"] - 1, len(others)))]


def current(config: Config, dataset: str, method: str, key: str) -> Any:
    """The value of a hyper-parameter in the config; dots lead into nested ones.

    ``InputError`` if the config has none.
    """
    if key == "negatives" and takes_training(config, method):
        return negatives(config, method)
    value: Any = parameters(config, dataset, method)
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise InputError(
                f"models.{method}.tuning: {key} is to be tuned, but {method} has no such "
                f"hyper-parameter on {dataset}: set models.{method}.parameters.{key}"
            )
        value = value[part]
    return value


def _trained(config: Config, dataset: str, method: str, values: dict[str, Any]) -> str:
    derived = variant_id(method, {**config["tuning"]["training"], **values})
    same = parameters(config, dataset, derived) == parameters(config, dataset, method)
    return method if same and negatives(config, derived) == negatives(config, method) else derived
