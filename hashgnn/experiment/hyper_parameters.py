"""Check the hyper-parameters of every model, on every data set, before any job runs."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hashgnn.config.base import parse
from hashgnn.config.methods import Config, Dimension, parameters, shared_parameters, shares_training
from hashgnn.errors import InputError
from hashgnn.experiment.runs import variant

# The entry of the code digest of this check.
CHECK = "hashgnn.experiment.hyper_parameters"

_OF_MODELS = ("module", "pretrained", "shared_training", "parameters", "per_dataset", "tuning")


def check_once(config: Config, code: str, folder: Path) -> None:
    """Check the hyper-parameters of a configuration unless they passed the check before.

    The check imports torch, which takes seconds. An empty file in ``folder`` marks each
    configuration that passed.

    Args:
        config: The resolved configuration, without the models of sweeps.
        code: A digest of the code of the check and of the methods.
        folder: Folder of these files.

    Raises:
        InputError: As ``check_hyper_parameters``.
    """
    models = {
        id: {key: entry[key] for key in _OF_MODELS if key in entry}
        for id, entry in config["models"].items()
    }
    data_sets = {id: entry.get("training") for id, entry in config["datasets"].items()}
    used = [config.get(key) for key in ("training", "sweeps", "tuning")]
    text = json.dumps([models, data_sets, used, code], sort_keys=True, default=repr)
    good = folder / hashlib.sha256(text.encode()).hexdigest()
    if not good.exists():
        check_hyper_parameters(config)
        folder.mkdir(parents=True, exist_ok=True)
        good.touch()


def check_hyper_parameters(config: Config) -> None:
    """Check all models, and their variants by sweeps and tuning.

    Raises:
        InputError: With one line per mistake: the key, what was found, what was expected.
    """
    for find in (_shared, _modules, _models, _variants):
        if mistakes := list(dict.fromkeys(find(config))):
            raise InputError("\n".join(mistakes))


def _shared(config: Config) -> Iterator[str]:
    """Yield mistakes in the shared hyper-parameters, even if every method overrides them."""
    from hashgnn.models.method import GraphParameters

    for dataset, entry in config["datasets"].items():
        blocks = {
            f"datasets.{dataset}.training": entry.get("training", {}),
            "training": config["training"],
        }
        try:
            parse(GraphParameters, {**shared_parameters(config), **entry.get("training", {})})
        except InputError as error:
            for line in str(error).splitlines():
                yield f"{_innermost(blocks, line, 'training')}.{line}"


def _modules(config: Config) -> Iterator[str]:
    """Yield modules that are not methods, and entries that contradict their module."""
    from hashgnn.training.fit import load_method

    for model, entry in config["models"].items():
        where, name = f"models.{model}", entry["module"]
        try:
            method = load_method(name)
        except InputError as error:
            yield f"{where}.module: {error}"
            continue
        except Exception as error:  # whatever a user's own module raises
            yield f"{where}.module: {name} cannot be imported: {error!r}"
            continue
        if method.takes_training and not shares_training(entry):
            yield f"{where}.shared_training: {name} uses shared training; remove the key"
        if not method.takes_training and shares_training(entry):
            yield f"{where}.shared_training: {name} does not use shared training; set it to false"
        if method.hashes_pretrained and not entry.get("pretrained"):
            yield f"{where}.pretrained: {name} hashes vectors of another model; name the model"
        if not method.hashes_pretrained and entry.get("pretrained"):
            yield f"{where}.pretrained: {name} hashes no vectors of other models; remove the key"


def _models(config: Config) -> Iterator[str]:
    for model, entry in config["models"].items():
        for dataset in config["datasets"]:
            blocks = {
                f"models.{model}.per_dataset.{dataset}": entry.get("per_dataset", {}).get(dataset),
                f"models.{model}.parameters": entry.get("parameters"),
                f"datasets.{dataset}.training": config["datasets"][dataset].get("training"),
                "training": config["training"],
            }
            for line in _mistakes(config, dataset, model):
                yield f"{_innermost(blocks, line, f'models.{model}')}.{line}"


def _variants(config: Config) -> Iterator[str]:
    """Yield mistakes in the variants of models by sweeps and tuning."""
    for name, sweep in config.get("sweeps", {}).items():
        if "bits" not in sweep["vary"]:
            for value in sweep["values"]:
                changes = dict.fromkeys(sweep["vary"], value)
                for line in _varied(config, sweep["model"], changes, ""):
                    key = "vary" if "unknown key" in line else "values"
                    yield f"sweeps.{name}.{key}: {line}"
    for model, entry in config["models"].items():
        space = entry.get("tuning", {}) if "tuning" in config else {}
        for key, block in space.items():
            for value in parse(Dimension, block).ends():
                yield from _varied(config, model, {key: value}, f"models.{model}.tuning.")


def _varied(config: Config, model: str, changes: Mapping[str, Any], where: str) -> Iterator[str]:
    entry = variant(config["models"][model], changes)
    changed = {**config, "models": {**config["models"], model: entry}}
    for dataset in config["datasets"]:
        yield from (where + line for line in _mistakes(changed, dataset, model))


def _mistakes(config: Config, dataset: str, model: str) -> list[str]:
    """Return the mistakes in a model's hyper-parameters on a data set; lines begin with keys."""
    from hashgnn.models.encoders import check_encoder
    from hashgnn.models.method import GraphParameters
    from hashgnn.training.fit import load_method

    method = load_method(config["models"][model]["module"])
    given = {**parameters(config, dataset, model), **method.fixed}
    try:
        parsed = parse(method.parameters, given)
        if isinstance(parsed, GraphParameters):
            check_encoder(parsed)
    except InputError as error:
        return str(error).splitlines()
    return []


def _innermost(blocks: Mapping[str, Any], mistake: str, default: str) -> str:
    """Return the first of ``blocks`` that sets the longest prefix of the key of ``mistake``."""
    keys = mistake.split(":")[0].split(".")
    for length in range(len(keys), 0, -1):
        for place, block in blocks.items():
            if _sets(block, keys[:length]):
                return place
    return default


def _sets(block: Any, keys: Sequence[str]) -> bool:
    for key in keys:
        if not isinstance(block, Mapping) or key not in block:
            return False
        block = block[key]
    return True
