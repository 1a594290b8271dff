"""The workflow's config: checked against its schema before any job is planned."""

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError, validators

from hashgnn.config.data_sets import unusable_data_sets
from hashgnn.config.methods import same_looks
from hashgnn.config.model import derived
from hashgnn.config.needs import CUTOFFS, GRIDS, unusable_grids
from hashgnn.config.parameters import shares_training
from hashgnn.config.settings import remedy
from hashgnn.errors import InputError, did_you_mean

_KINDS = {"integer": int, "number": float, "boolean": bool}  # of the schema


def _is_whole(checker: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(checker: object, value: object) -> bool:
    return _is_whole(checker, value) or (isinstance(value, float) and math.isfinite(value))


# JSON takes 1.0 for a whole number, where Python's random generators do not.
_Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_whole, "number": _is_finite}
    ),
)


def check_config(config: Mapping[str, Any], schema: Path) -> None:
    """Raise ``InputError`` with one line a mistake: the key, what is wrong, what is expected."""
    validator = _Validator(yaml.safe_load(schema.read_text(encoding="utf-8")))
    mistakes = [_explain(error) for error in validator.iter_errors(config)]
    if not mistakes:
        config = derived(config)
    for find in (_unknown_references, unusable_data_sets, unusable_grids, _unusable_evaluation):
        mistakes = mistakes or list(find(config))
    if mistakes:
        raise InputError("\n".join(mistakes))


def _explain(error: ValidationError) -> str:
    where = ".".join(map(str, error.absolute_path)) or "config"
    if error.validator == "additionalProperties":
        allowed = set(error.schema.get("properties", {}))
        unknown = sorted(set(error.instance) - allowed, key=str)
        named, known = ", ".join(map(str, unknown)), ", ".join(sorted(allowed))
        return f"{where}: no such key: {named}; known: {known}{did_you_mean(unknown[0], allowed)}"
    if error.validator == "uniqueItems":
        repeated = [v for v in error.instance if error.instance.count(v) > 1]
        return f"{where}: {repeated[0]!r} is given twice; each may stand once"
    if error.validator == "type":
        names = error.validator_value
        names = [names] if isinstance(names, str) else names
        meant = remedy(error.instance, [_KINDS[name] for name in names if name in _KINDS])
        return f"{where}: expected {' or '.join(names)}, got {error.instance!r}{meant}"
    if error.validator == "enum":
        choices = ", ".join(map(str, error.validator_value))
        return f"{where}: expected one of {choices}; got {error.instance!r}"
    hint = error.schema.get("description")
    return f"{where}: {error.message}" + (f" ({hint})" if hint else "")


def _unknown_references(config: Mapping[str, Any]) -> Iterator[str]:
    """Grids and data set entries that name what the config does not have."""
    for grid, entry in config["grids"].items():
        for kind in ("datasets", "models", "sweeps"):
            for name in (entry or {}).get(kind, []):
                yield from _unless_known(f"grids.{grid}.{kind}", name, kind, config)
    yield from _unusable_pretrained(config["models"])
    yield from _unusable_sweeps(config)
    yield from _unusable_tuning(config)
    yield from same_looks(config["models"])
    for model, entry in config["models"].items():
        for name in entry.get("per_dataset", {}):
            yield from _unless_known(f"models.{model}.per_dataset", name, "datasets", config)
        yield from _unknown_grids(f"models.{model}.shown_in", entry.get("shown_in", []))
    for name, entry in config["datasets"].items():
        if entry["reader"] == "synthetic":
            needed, absent = "generator", "generator" not in entry
        else:
            needed, absent = "files", "files" not in entry
        if absent:
            yield f"datasets.{name}: the reader {entry['reader']} needs the key {needed}"
        for file, source in entry.get("files", {}).items():
            if not {"address", "manual"} & set(source):
                yield f"datasets.{name}.files.{file}: needs an address, or manual instructions"


def _unless_known(where: str, name: str, kind: str, config: Mapping[str, Any]) -> Iterator[str]:
    if name not in config.get(kind, {}):
        known = ", ".join(sorted(config.get(kind, {})))
        nearest = did_you_mean(name, config.get(kind, {}))
        yield f"{where}: {name} is not among {kind}: {known}{nearest}"


def _unknown_grids(where: str, names: Iterable[str]) -> Iterator[str]:
    """Names of ``shown_in`` that are no figures or tables of models."""
    showing = [name for name, needs in GRIDS.items() if "models" in needs.keys]
    for name in names:
        if name not in showing:
            known, nearest = ", ".join(showing), did_you_mean(name, showing)
            yield f"{where}: {name} is no figure or table of models; known: {known}{nearest}"


def _unusable_sweeps(config: Mapping[str, Any]) -> Iterator[str]:
    """Sweeps of models that are not there, and of nested keys that the model does not set."""
    for name, sweep in config.get("sweeps", {}).items():
        yield from _unless_known(f"sweeps.{name}.model", sweep["model"], "models", config)
        yield from _unknown_blocks(f"sweeps.{name}.vary", sweep["model"], sweep["vary"], config)
        if "bits" in sweep["vary"] and len(sweep["vary"]) > 1:
            yield f"sweeps.{name}.vary: bits can only be varied alone"
        else:
            entry = config["models"].get(sweep["model"], {})
            yield from _odd_counts(f"sweeps.{name}.values", sweep["vary"], sweep["values"], entry)


def _odd_counts(
    where: str, keys: Iterable[str], values: Iterable[Any], entry: Mapping[str, Any]
) -> Iterator[str]:
    """Values that are no lengths of code, or no numbers of negatives, where these are varied."""
    most = 1024 if "bits" in keys else 2**31 - 1
    counted = "bits" in keys or ("negatives" in keys and shares_training(entry))
    for value in values if counted else ():
        if not isinstance(value, int) or not 1 <= value <= most:
            yield f"{where}: expected whole numbers from 1 to {most:,}, got {value!r}"


def _unknown_blocks(
    where: str, model: str, keys: Iterable[str], config: Mapping[str, Any]
) -> Iterator[str]:
    """Keys that lead, by dots, into nested hyper-parameters which the model does not set."""
    own = config["models"].get(model, {}).get("parameters", {})
    for key in keys:
        first, *nested = key.split(".")
        if nested and not isinstance(own.get(first), Mapping):
            yield f"{where}: {key}: models.{model}.parameters has no {first} to vary"


def _unusable_tuning(config: Mapping[str, Any]) -> Iterator[str]:
    """Spaces of models that are not there, or of hyper-parameters that they do not have."""
    tuning = config.get("tuning", {"datasets": [], "spaces": {}})
    for name in tuning["datasets"]:
        yield from _unless_known("tuning.datasets", name, "datasets", config)
    for model, space in tuning["spaces"].items():
        yield from _unknown_blocks(f"models.{model}.tuning", model, space, config)
        entry = config["models"].get(model, {})
        shared = {"negatives", *config["training"]} if shares_training(entry) else set()
        known = shared | set(entry.get("parameters", {}))
        for key, values in space.items():
            yield from _odd_counts(f"models.{model}.tuning.{key}", [key], values, entry)
            if key.split(".")[0] not in known:
                yield f"models.{model}.tuning: {key} is not set in models.{model} or training"


def _unusable_pretrained(models: Mapping[str, Any]) -> Iterator[str]:
    """Models that build on one that is not there, or that itself builds on another."""
    for name, entry in models.items():
        base = entry.get("pretrained")
        if base is not None and base not in models:
            known = ", ".join(sorted(models))
            yield f"models.{name}.pretrained: {base} is not among models: {known}"
        elif base is not None and "pretrained" in models[base]:
            yield f"models.{name}.pretrained: {base} is itself made from another model's vectors"


def _unusable_evaluation(config: Mapping[str, Any]) -> Iterator[str]:
    """Lists longer than what hierarchical search re-ranks: they would be cut."""
    evaluation = config["evaluation"]
    cutoffs, candidates = evaluation.get("cutoffs", CUTOFFS), evaluation.get("candidates", 500)
    if max(cutoffs) > candidates:
        yield (
            f"evaluation.candidates: {candidates} are fewer than the longest list, {max(cutoffs)} "
            "of evaluation.cutoffs: raise the one or leave out the other"
        )


def base_folder(started_in: str, main_process: bool) -> str:
    """Where the user started Snakemake: relative paths of the config begin there.

    An executor may start the process of a job elsewhere, Slurm's in the working directory itself;
    the environment, which Slurm hands on, tells it. ``started_in`` is where this process was.
    """
    if main_process:
        os.environ["HASHGNN_BASE"] = started_in
    return os.environ.get("HASHGNN_BASE", started_in)
