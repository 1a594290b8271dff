"""The hyper-parameters of a training, from the four places of the config that may set them."""

from collections.abc import Mapping
from typing import Any

Config = Mapping[str, Any]


def parameters(config: Config, dataset: str, model: str) -> dict[str, Any]:
    """Shared ones, then the data set's, then the method's, then its own for the data set."""
    entry = config["models"][model]
    return {
        **config["training"],
        **config["datasets"][dataset].get("training", {}),
        **entry.get("parameters", {}),
        **entry.get("per_dataset", {}).get(dataset, {}),
    }


def negatives(config: Config, model: str) -> int:
    """Negatives drawn for each training interaction."""
    return config["models"][model].get("negatives", config["triplets"]["per_interaction"])
