"""The trainings of an experiment: grids, sweeps, and which of them take tuned settings."""

import copy
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from hashgnn.config.methods import Config, negatives, parameters, shares_training, with_values
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
            f"{made!r}: swept keys and their values become folder names, which may hold "
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
    per_dataset = made.get("per_dataset", {})
    for key, value in values.items():
        if key == "negatives" and shares_training(entry):
            made[key] = value
            continue
        made["parameters"] = with_values(made.get("parameters", {}), {key: value})
        first, *_ = key.split(".")
        for dataset, block in per_dataset.items():
            if first in block:
                per_dataset[dataset] = with_values(block, {key: value})
    return made


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
    """Return ``base`` if ``derived`` has the same hyper-parameters on ``dataset``.

    Where these come from a study, they are known when it is over: ``derived`` is trained then.
    """
    if is_tuned(config, dataset, base):
        return derived
    same = _hyper_parameters(config, dataset, derived) == _hyper_parameters(config, dataset, base)
    return base if same else derived


# Tuning.


def is_tuned(config: Config, dataset: str, model: str) -> bool:
    """Return whether a training takes the settings that a study chose; variants take their base's.

    Values that a variant sets stay as they are.
    """
    return config.get("settings") == "tuned" and has_study(config, dataset, base_model(model))


def has_study(config: Config, dataset: str, model: str) -> bool:
    """Return whether ``tuning`` has a study of a model on a data set."""
    tuning = config.get("tuning", {})
    return dataset in tuning.get("datasets", ()) and model in tuning.get("spaces", {})


def studies(config: Config) -> list[tuple[str, str]]:
    """Return the data set and the model of each study."""
    tuning = config.get("tuning", {})
    return list(product(tuning.get("datasets", ()), tuning.get("spaces", {})))


def varied(config: Config, model: str) -> list[str]:
    """Return the hyper-parameters that a variant sets, which tuning leaves; none for a model."""
    if base_model(model) == model:
        return []
    return sorted(
        {
            key
            for sweep, entry in config.get("sweeps", {}).items()
            for value in entry["values"]
            if BITS not in entry["vary"] and _derived_id(config, sweep, value) == model
            for key in entry["vary"]
        }
    )
