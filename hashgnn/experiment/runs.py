"""The trainings that a figure or table is made of: grids, sweeps and variants of models."""

import copy
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from hashgnn.config.methods import Config, merged, negatives, parameters, shares_training
from hashgnn.errors import InputError

Entry = dict[str, Any]

_SAFE = re.compile(r"[A-Za-z0-9@=,._+-]+")


def variant_id(model: str, values: Mapping[str, Any]) -> str:
    """``hashgnn@ranking_weight=0.3``; several values are joined by commas.

    ``InputError`` if that could not stand in a path, and in a shell's command, as it is.
    """
    made = f"{model}@" + ",".join(f"{name}={value_text(value)}" for name, value in values.items())
    if not _SAFE.fullmatch(made):
        raise InputError(
            f"{made!r}: what is swept or tuned, and its values, stand in the names of folders: "
            "letters, digits, . _ + and - alone"
        )
    return made


def base_model(variant_or_model: str) -> str:
    """The model that an id of ``variant_id`` is a variant of; any other id is its own."""
    return variant_or_model.partition("@")[0]


def value_text(value: Any) -> str:
    """A number as short as it is exact, a text as it is."""
    return value if isinstance(value, str) else repr(value).removesuffix(".0")


def variant(entry: Mapping[str, Any], values: Mapping[str, Any]) -> Entry:
    """``entry`` of a model, with ``values`` by key: dots lead into nested hyper-parameters, which
    may also be given in part.

    The key ``negatives`` is the entry's own where it takes the workflow's. The values hold on all
    data sets, also where the entry has others for one of them.
    """
    made = copy.deepcopy(dict(entry))
    blocks = [made.setdefault("parameters", {}), *made.get("per_dataset", {}).values()]
    for key, value in values.items():
        if key == "negatives" and shares_training(entry):
            made[key] = value
            continue
        first, *_ = key.split(".")
        for number, block in enumerate(blocks):
            if number == 0 or first in block:
                _set(block, key, value)
    return made


def _set(block: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        block = block.setdefault(parent, {})
        if not isinstance(block, dict):
            raise InputError(f"{key}: {parent} is {block!r}, which has no settings in it")
    block |= merged({last: block.get(last)}, {last: value})


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


class Run(NamedTuple):
    """One training: a data set, a method, a length of code, a seed."""

    dataset: str
    model: str
    bits: int
    seed: int


def runs(config: Config, grid: Mapping[str, Any]) -> list[Run]:
    """Each training of ``grid`` once: its models, then the points of its sweeps."""
    return list(dict.fromkeys(_all_runs(config, grid)))


def _all_runs(config: Config, grid: Mapping[str, Any]) -> Iterator[Run]:
    datasets, bits, seeds = grid["datasets"], grid.get("bits", []), grid.get("seeds", [])
    for dataset, model, length, seed in product(datasets, grid.get("models", []), bits, seeds):
        yield Run(dataset, model, length, seed)
    for dataset, sweep, length in product(datasets, grid.get("sweeps", []), bits):
        for point in points(config, sweep, dataset, length):
            yield from (Run(dataset, point.model, point.bits, seed) for seed in seeds)
