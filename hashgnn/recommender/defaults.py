"""The settings of a training, and the hyper-parameters that the workflow's config fills in.

Wrong settings are refused before anything large is imported: no torch, pandas or numba here.
"""

import functools
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, NamedTuple

import yaml

from hashgnn.config import methods as experiment
from hashgnn.config.base import Bits, Count, Section, Seed, parse
from hashgnn.config.methods import Dimension
from hashgnn.errors import InputError, did_you_mean, shown
from hashgnn.experiment.runs import base_model, variant

_UNITS = {"s": 1, "m": 60, "h": 3600}
_DEVICES = "auto|cpu|cuda(:[0-9]+)?"

# The least number of steps per epoch, unless batches would be smaller than _LEAST_BATCH.
_STEPS, _LEAST_BATCH = 32, 256


class TrainingSettings(Section):
    """The settings of a training: arguments of ``HashGNN`` and of ``hashgnn train``."""

    bits: Bits
    """Length of the codes."""

    method: str
    """Id of a method of the workflow's config."""

    seed: Seed
    """Seed of the split, the negatives and the training."""

    validation: float
    """Share of each user's interactions that is held out to choose the best epoch."""

    refit: bool
    """Whether to train once more after that, on all interactions, for as many epochs."""

    device: str
    """auto, cpu, cuda or cuda:N."""

    parameters: dict[str, Any]
    """Hyper-parameters that differ from the config's."""

    tune: str | int | float | None = None
    """Time to choose the other hyper-parameters in, such as ``10m``."""

    def check(self) -> None:
        """Raise ``InputError`` for values that no training can use."""
        if not 0 < self.validation < 1:
            raise InputError(
                f"validation: expected a share above 0 and below 1, got {self.validation:g}"
            )
        if re.fullmatch(_DEVICES, self.device) is None:
            raise InputError(f"device: expected auto, cpu, cuda or cuda:N, got {self.device!r}")
        check_method(self.method)
        if self.tune is not None:
            seconds_of(self.tune)


def seconds_of(duration: str | int | float) -> float:
    """Return the seconds of a duration such as ``90s``, ``10m`` or ``1.5h``; a number is seconds.

    Raises:
        InputError: If it is no duration above 0.
    """
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)([smh]?)", str(duration).strip())
    seconds = float(found[1]) * _UNITS.get(found[2], 1) if found else 0.0
    if seconds <= 0:
        raise InputError(f"tune: expected a duration such as 90s, 10m or 1h, got {shown(duration)}")
    return seconds


class MethodDefaults(NamedTuple):
    """The module of a method, all its hyper-parameters, and the negatives that it trains on.

    ``negatives`` per interaction are drawn in each of ``rounds``; None for a method that draws its
    own or needs none. ``space`` holds what tuning may choose; what is given is not among it.
    """

    module: str
    parameters: dict[str, Any]
    negatives: int | None
    rounds: int
    space: dict[str, Dimension]


class _Drawn(Section):
    negatives: Count


def method_defaults(
    method: str, parameters: Mapping[str, Any], n_interactions: int
) -> MethodDefaults:
    """Return the config's entry of ``method``, updated with ``parameters``.

    Args:
        method: Id of a method of the config.
        parameters: Values that differ from the config's. A key with dots names a nested value;
            of a nested mapping those that are given are updated. ``negatives`` is their number
            per interaction.
        n_interactions: Size of the training set. Unless ``parameters`` holds ``batch_size``, it is
            reduced to the power of two, from 256 on, that makes at least 32 steps per epoch. Who
            gives ``epochs`` without ``length`` gets as many, whatever the config's length.

    Raises:
        InputError: The method is unknown, or a parameter is unknown or has a wrong value.
    """
    check_method(method)
    if "epochs" in parameters and "length" not in parameters:
        parameters = {**parameters, **_of_fixed_length(method)}
    entry = variant(_config()["models"][method], parameters)
    config = {**_config(), "datasets": {"own": {}}, "models": {method: entry}}
    made, negatives = experiment.parameters(config, "own", method), None
    if experiment.shares_training(entry):
        drawn = {"negatives": experiment.negatives(config, method)}
        negatives = parse(_Drawn, drawn, "parameters").negatives
        if "batch_size" not in parameters:
            made["batch_size"] = _batch_size(made["batch_size"], n_interactions)
    given = {key.split(".")[0] for key in parameters}
    space = {
        key: parse(Dimension, block)
        for key, block in entry.get("tuning", {}).items()
        if key.split(".")[0] not in given
    }
    return MethodDefaults(entry["module"], made, negatives, negative_rounds(), space)


def negative_rounds() -> int:
    """Return the number of independent draws of the negatives."""
    rounds: int = _config()["triplets"]["rounds"]
    return rounds


def check_method(method: str) -> None:
    """Raise ``InputError`` unless ``method`` is in the config and trains vectors of its own."""
    models = _config()["models"]
    usable = [name for name in models if "pretrained" not in models[name]]
    if method not in usable:
        nearest = did_you_mean(method, usable)
        raise InputError(f"method {shown(method)}: expected one of {', '.join(usable)}{nearest}")


def arguments(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``HashGNN`` that repeat the training of a ``record``.

    A variant of a sweep or of tuning is returned as its base method with the recorded
    hyper-parameters.
    """
    settings = record["settings"]
    method = base_model(settings.get("model", ""))
    if _config()["models"].get(method, {}).get("module") != settings["method"]:
        method = settings["method"]  # a method of another config, which ``check_method`` refuses
    chosen = {"bits": settings["bits"], "method": method, "seed": settings["seed"]}
    chosen["refit"] = settings.get("refit", False)
    chosen["device"] = record.get("device_option", "auto")
    if "validation" in settings:
        chosen["validation"] = settings["validation"]
    if settings.get("negatives") is not None:
        chosen["negatives"] = settings["negatives"]
    return {**chosen, **settings["parameters"]}


def method_name(record: Mapping[str, Any]) -> str | None:
    """Return the name of the method of a ``record``; None for a method of another config."""
    # Imported here because it loads pandas and numba, which takes most of a second.
    from hashgnn.recommender.folder import method_id

    entry = _config()["models"].get(base_model(method_id(record)), {})
    return entry["name"] if entry.get("module") == record["settings"]["method"] else None


def _of_fixed_length(method: str) -> dict[str, str]:
    own = _config()["models"][method].get("parameters", {})
    return {"length": "epochs"} if "length" in own else {}


def _batch_size(largest: int, n_interactions: int) -> int:
    fitting = 1 << max(0, (n_interactions // _STEPS).bit_length() - 1)
    return min(largest, max(_LEAST_BATCH, fitting))


@functools.cache
def _config() -> Any:
    text = resources.files("hashgnn.recommender").joinpath("config.yaml").read_text("utf-8")
    return yaml.safe_load(text)
