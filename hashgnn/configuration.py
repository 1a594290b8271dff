"""The workflow's config: checked against its schema before any job is planned."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError

from hashgnn.errors import InputError
from hashgnn.experiment.parameters import shares_training
from hashgnn.settings import remedy

_KINDS = {"integer": int, "number": float, "boolean": bool}  # of the schema


def check_config(config: Mapping[str, Any], schema: Path) -> None:
    """Raise ``InputError`` with one line a mistake: the key, what is wrong, what is expected."""
    validator = Draft202012Validator(yaml.safe_load(schema.read_text(encoding="utf-8")))
    mistakes = [_explain(error) for error in validator.iter_errors(config)]
    mistakes = mistakes or list(_unknown_references(config))
    if mistakes:
        raise InputError("\n".join(mistakes))


def _explain(error: ValidationError) -> str:
    where = ".".join(map(str, error.absolute_path)) or "config"
    if error.validator == "additionalProperties":
        allowed = set(error.schema.get("properties", {}))
        unknown = sorted(set(error.instance) - allowed)
        return f"{where}: no such key: {', '.join(unknown)}; known: {', '.join(sorted(allowed))}"
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
        yield f"{where}: {name} is not among {kind}: {known}"


def _unusable_sweeps(config: Mapping[str, Any]) -> Iterator[str]:
    """Sweeps of models that are not there, and of nested keys that the model does not set."""
    for name, sweep in config.get("sweeps", {}).items():
        yield from _unless_known(f"sweeps.{name}.model", sweep["model"], "models", config)
        yield from _unknown_blocks(f"sweeps.{name}.vary", sweep["model"], sweep["vary"], config)
        if "bits" in sweep["vary"] and len(sweep["vary"]) > 1:
            yield f"sweeps.{name}.vary: bits can only be varied alone"


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
        yield from _unless_known("tuning.spaces", model, "models", config)
        yield from _unknown_blocks(f"tuning.spaces.{model}", model, space, config)
        entry = config["models"].get(model, {})
        shared = {"negatives", *config["training"]} if shares_training(entry) else set()
        known = shared | set(entry.get("parameters", {}))
        for key in space:
            if key.split(".")[0] not in known:
                yield f"tuning.spaces.{model}: {key} is not set in models.{model} or training"


def _unusable_pretrained(models: Mapping[str, Any]) -> Iterator[str]:
    """Models that build on one that is not there, or that itself builds on another."""
    for name, entry in models.items():
        base = entry.get("pretrained")
        if base is not None and base not in models:
            known = ", ".join(sorted(models))
            yield f"models.{name}.pretrained: {base} is not among models: {known}"
        elif base is not None and "pretrained" in models[base]:
            yield f"models.{name}.pretrained: {base} is itself made from another model's vectors"


def base_folder(started_in: str, main_process: bool) -> str:
    """Where the user started Snakemake: relative paths of the config begin there.

    An executor may start the process of a job elsewhere, Slurm's in the working directory itself;
    the environment, which Slurm hands on, tells it. ``started_in`` is where this process was.
    """
    if main_process:
        os.environ["HASHGNN_BASE"] = started_in
    return os.environ.get("HASHGNN_BASE", started_in)
