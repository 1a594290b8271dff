"""Sweeps: a model trained once for each of several values of a hyper-parameter."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from hashgnn.experiment.parameters import Config, negatives, parameters
from hashgnn.experiment.variants import Entry, variant, variant_id

BITS = "bits"  # a sweep may vary the length of the code, which is no hyper-parameter of a model


class Point(NamedTuple):
    """One value of a sweep, and the training that it means on a data set."""

    at: Any
    model: str
    bits: int


def derived_models(config: Config) -> dict[str, Entry]:
    """An entry of ``models`` for each value of each sweep, by id."""
    return {
        _derived_id(config, sweep, value): variant(
            config["models"][entry["model"]], dict.fromkeys(entry["vary"], value)
        )
        for sweep, entry in config.get("sweeps", {}).items()
        if BITS not in entry["vary"]
        for value in entry["values"]
    }


def points(config: Config, sweep: str, dataset: str, bits: int) -> Iterator[Point]:
    """The points of ``sweep`` on ``dataset``, where ``config`` has the derived models too.

    A value that the model has anyway is the model itself, which is not trained twice.
    """
    entry = config["sweeps"][sweep]
    base = entry["model"]
    for value in entry["values"]:
        if BITS in entry["vary"]:
            yield Point(value, base, value)
        else:
            derived = _derived_id(config, sweep, value)
            same = _training(config, dataset, derived) == _training(config, dataset, base)
            yield Point(value, base if same else derived, bits)


def _derived_id(config: Config, sweep: str, value: Any) -> str:
    return variant_id(config["sweeps"][sweep]["model"], {sweep: value})


def _training(config: Config, dataset: str, model: str) -> tuple[dict[str, Any], int]:
    return parameters(config, dataset, model), negatives(config, model)
