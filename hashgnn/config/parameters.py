"""The hyper-parameters of a training, from the four places of the config that may set them."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

Config = Mapping[str, Any]


def parameters(config: Config, dataset: str, model: str) -> dict[str, Any]:
    """Shared ones, then the data set's, then the method's, then its own for the data set.

    The first two are for the methods that take the shared training. Nested ones may be given in
    part: the rest stays.
    """
    entry = config["models"][model]
    shared = [config["training"], config["datasets"][dataset].get("training", {})]
    own = [entry.get("parameters", {}), entry.get("per_dataset", {}).get(dataset, {})]
    return reduce(merged, (shared if takes_training(config, model) else []) + own, {})


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``below`` with the values of ``above``; mappings that both have are merged alike."""
    made = dict(below)
    for key, value in above.items():
        nested = isinstance(value, Mapping) and isinstance(made.get(key), Mapping)
        made[key] = merged(made[key], value) if nested else value
    return made


def takes_training(config: Config, model: str) -> bool:
    """Whether a method takes the shared hyper-parameters and the workflow's negatives."""
    return shares_training(config["models"][model])


def shares_training(entry: Mapping[str, Any]) -> bool:
    """The same of an entry of ``models``."""
    return entry.get("shared_training", True)


def negatives(config: Config, model: str) -> int:
    """Negatives drawn for each training interaction."""
    return config["models"][model].get("negatives", config["triplets"]["per_interaction"])


def named_modules(config: Config) -> list[str]:
    """The Python modules of all methods and encoders that trainings may be of."""
    methods = {entry["module"] for entry in config["models"].values()}
    encoders = {
        parameters(config, dataset, model).get("encoder")
        for dataset in config["datasets"]
        for model in config["models"]
    }
    return sorted(methods | {name for name in encoders if isinstance(name, str)})
