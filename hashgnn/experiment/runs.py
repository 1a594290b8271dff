"""The trainings of an experiment: grids, sweeps and the trials of tuning."""

import copy
import random
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from hashgnn.config.methods import (
    Config,
    merged,
    negatives,
    parameters,
    shares_training,
    takes_training,
)
from hashgnn.errors import InputError

Entry = dict[str, Any]

_SAFE = re.compile(r"[A-Za-z0-9@=,._+-]+")


class Run(NamedTuple):
    """One training: a data set, a model, a code length, a seed."""

    dataset: str
    model: str
    bits: int
    seed: int


def runs(config: Config, grid: Mapping[str, Any]) -> list[Run]:
    """Return each training of ``grid`` once: its models, then the points of its sweeps."""
    return list(dict.fromkeys(_all_runs(config, grid)))


def _all_runs(config: Config, grid: Mapping[str, Any]) -> Iterator[Run]:
    datasets, bits, seeds = grid["datasets"], grid.get("bits", []), grid.get("seeds", [])
    for dataset, model, length, seed in product(datasets, grid.get("models", []), bits, seeds):
        yield Run(dataset, model, length, seed)
    for dataset, sweep, length in product(datasets, grid.get("sweeps", []), bits):
        for point in points(config, sweep, dataset, length):
            yield from (Run(dataset, point.model, point.bits, seed) for seed in seeds)


def evaluated_runs(config: Config) -> list[Run]:
    """Return each training of all grids once."""
    return list(
        dict.fromkeys(run for grid in config["grids"].values() for run in runs(config, grid))
    )


def compared_runs(config: Config) -> list[Run]:
    """Return the trainings that grids compare by model; points of sweeps are not among them."""
    grids = [grid for grid in config["grids"].values() if "models" in grid]
    compared = {model for grid in grids for model in grid["models"]}
    found = dict.fromkeys(run for grid in grids for run in runs(config, grid))
    return [run for run in found if run.model in compared]


# Variants of models.


def variant_id(model: str, values: Mapping[str, Any]) -> str:
    """Return the id of a variant, such as ``hashgnn@ranking_weight=0.3``.

    Several values are joined by commas. Raises ``InputError`` if the id cannot be part of a path
    and of a shell command without quoting.
    """
    made = f"{model}@" + ",".join(f"{name}={value_text(value)}" for name, value in values.items())
    if not _SAFE.fullmatch(made):
        raise InputError(
            f"{made!r}: swept or tuned keys and their values become folder names, which may hold "
            "letters, digits, . _ + and - only"
        )
    return made


def base_model(variant_or_model: str) -> str:
    """Return the model that a ``variant_id`` derives from; another id is returned unchanged."""
    return variant_or_model.partition("@")[0]


def value_text(value: Any) -> str:
    """Format a number in the fewest digits that are exact; return a string unchanged."""
    return value if isinstance(value, str) else repr(value).removesuffix(".0")


def variant(entry: Mapping[str, Any], values: Mapping[str, Any]) -> Entry:
    """Return a copy of a model's ``entry`` with ``values`` set.

    Args:
        entry: An entry of ``models`` in the config.
        values: Hyper-parameters by key. Dots lead into nested ones, which may be set in part. The
            key ``negatives`` is one of the entry itself where the model takes the shared training.

    The values hold on all data sets, also where ``per_dataset`` sets others.
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
            raise InputError(f"{key}: {parent} is {block!r}, which has no keys to set")
    block |= merged({last: block.get(last)}, {last: value})


def _hyper_parameters(config: Config, dataset: str, model: str) -> tuple[dict[str, Any], int]:
    return parameters(config, dataset, model), negatives(config, model)


# Sweeps.

BITS = "bits"  # the code length is not a hyper-parameter, but sweeps may vary it


class Point(NamedTuple):
    """One value of a sweep and the training that has it on a data set."""

    at: Any
    model: str
    bits: int


def derived_models(config: Config) -> dict[str, Entry]:
    """Return an entry of ``models`` for each value of each sweep, by id."""
    return {
        _derived_id(config, sweep, value): variant(
            config["models"][entry["model"]], dict.fromkeys(entry["vary"], value)
        )
        for sweep, entry in config.get("sweeps", {}).items()
        if BITS not in entry["vary"]
        for value in entry["values"]
    }


def points(config: Config, sweep: str, dataset: str, bits: int) -> Iterator[Point]:
    """Yield the points of ``sweep`` on ``dataset``; ``config`` has the derived models too.

    A value that the model already has refers to the model itself, which is not trained twice.
    """
    entry = config["sweeps"][sweep]
    base = entry["model"]
    for value in entry["values"]:
        if BITS in entry["vary"]:
            yield Point(value, base, value)
        else:
            derived = _derived_id(config, sweep, value)
            yield Point(value, _unless_equal(config, dataset, derived, base), bits)


def _derived_id(config: Config, sweep: str, value: Any) -> str:
    return variant_id(config["sweeps"][sweep]["model"], {sweep: value})


def _unless_equal(config: Config, dataset: str, derived: str, base: str) -> str:
    """Return ``base`` if ``derived`` has the same hyper-parameters on ``dataset``."""
    same = _hyper_parameters(config, dataset, derived) == _hyper_parameters(config, dataset, base)
    return base if same else derived


# Tuning.


class Trial(NamedTuple):
    """One setting of a method on a data set, and the model that is trained with it.

    Attributes:
        values: The tuned hyper-parameters by key.
        configured: Whether the config has these values.
    """

    dataset: str
    method: str
    model: str
    values: dict[str, Any]
    configured: bool


def tried_models(config: Config) -> dict[str, Entry]:
    """Return an entry of ``models`` for each trial of tuning, by id."""
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
    """Return all trials; ``config`` has the models of ``tried_models`` too.

    The setting of the config refers to the method itself, which is not trained twice.
    """
    tuning = config["tuning"]
    return [
        Trial(dataset, method, _trained(config, dataset, method, values), values, number == 0)
        for dataset in tuning["datasets"]
        for method in tuning["spaces"]
        for number, values in enumerate(settings_tried(config, dataset, method))
    ]


def settings_tried(config: Config, dataset: str, method: str) -> list[dict[str, Any]]:
    """Return the setting of the config, then others drawn without repeats, ``budget`` in all.

    The draw depends on ``tuning.seed`` and the method only. A space smaller than the budget is
    tried completely.
    """
    tuning = config["tuning"]
    space = tuning["spaces"][method]
    own = {key: current(config, dataset, method, key) for key in space}
    others = [dict(zip(space, values, strict=True)) for values in product(*space.values())]
    others = [values for values in others if values != own]
    rng = random.Random(f"{tuning['seed']} {method}")
    return [own, *rng.sample(others, min(tuning["budget"] - 1, len(others)))]


def current(config: Config, dataset: str, method: str, key: str) -> Any:
    """Return a hyper-parameter's value in the config; dots in ``key`` lead into nested ones.

    Raises ``InputError`` if the config has none.
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
    return _unless_equal(config, dataset, derived, method)
