"""Hyper-parameters of every method, on every data set, checked before any job runs.

The declaration ``METHOD`` of a method's module says which it has: see hashgnn/models/method.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hashgnn.config.base import parse
from hashgnn.config.methods import Config, parameters, shares_training
from hashgnn.errors import InputError
from hashgnn.experiment.runs import variant
from hashgnn.models.encoders import check_encoder
from hashgnn.models.method import GraphParameters, Method
from hashgnn.training.fit import load_method

_HERE = "?"  # stands for the place in the config, which is looked up once the key is known


def check_hyper_parameters(config: Config) -> None:
    """``InputError`` with a line for each mistake: the key in the config and what it expects."""
    for find in (_shared, _of_methods, _of_models, _of_variants):
        if mistakes := list(dict.fromkeys(find(config))):
            raise InputError("\n".join(mistakes))


def _shared(config: Config) -> Iterator[str]:
    """In what all graph methods share, also where each of them sets its own."""
    for dataset, entry in config["datasets"].items():
        own = entry.get("training", {})
        try:
            parse(GraphParameters, {**config["training"], **own}, _HERE)
        except InputError as error:
            mistake = str(error).removeprefix(_HERE)
            yield _innermost({f"datasets.{dataset}.training": own}, mistake, "training") + mistake


def _of_methods(config: Config) -> Iterator[str]:
    """Modules that are no methods, and entries that do not fit theirs."""
    for model, entry in config["models"].items():
        where = f"models.{model}"
        try:
            method = load_method(entry["module"])
        except InputError as error:
            yield f"{where}.module: {error}"
            continue
        except Exception as error:  # whatever a user's own module raises
            yield f"{where}.module: {entry['module']} cannot be imported: {error!r}"
            continue
        yield from _unfit(where, entry, method)


def _unfit(where: str, entry: Mapping[str, Any], method: Method[Any]) -> Iterator[str]:
    """What an entry of ``models`` says otherwise than the declaration of its method."""
    name = entry["module"]
    if method.takes_training and not shares_training(entry):
        yield f"{where}.shared_training: {name} takes the shared training: leave it out"
    if not method.takes_training and shares_training(entry):
        yield f"{where}.shared_training: {name} takes none of it: set it to false"
    if method.hashes_pretrained and "pretrained" not in entry:
        yield f"{where}.pretrained: {name} hashes the vectors of another model: name it"
    if not method.hashes_pretrained and "pretrained" in entry:
        yield f"{where}.pretrained: {name} hashes no other model's vectors: leave it out"


def _of_models(config: Config) -> Iterator[str]:
    for model in config["models"]:
        for dataset in config["datasets"]:
            if mistake := _mistake(config, dataset, model):
                yield _place(config, dataset, model, mistake) + mistake


def _of_variants(config: Config) -> Iterator[str]:
    """What sweeps and tuning make of the models."""
    for name, sweep in config.get("sweeps", {}).items():
        if "bits" not in sweep["vary"]:
            for value in sweep["values"]:
                changes = dict.fromkeys(sweep["vary"], value)
                yield from _varied(config, sweep["model"], changes, f"sweeps.{name}.values: ")
    fixed = config.get("tuning", {}).get("training", {})
    for model, entry in config["models"].items():
        space = entry.get("tuning", {}) if "tuning" in config else {}
        if space:
            yield from _varied(config, model, fixed, "tuning.training: ")
        for key, values in space.items():
            for value in values:
                changes = {**fixed, key: value}
                yield from _varied(config, model, changes, f"models.{model}.tuning: ")


def _varied(config: Config, model: str, changes: Mapping[str, Any], where: str) -> Iterator[str]:
    entry = variant(config["models"][model], changes)
    changed = {**config, "models": {**config["models"], model: entry}}
    for dataset in config["datasets"]:
        if mistake := _mistake(changed, dataset, model):
            yield where + mistake.removeprefix(".")


def _mistake(config: Config, dataset: str, model: str) -> str:
    """What is wrong, from the dot before the key on; empty if nothing is."""
    method = load_method(config["models"][model]["module"])
    given = {**parameters(config, dataset, model), **method.fixed}
    try:
        settings = parse(method.parameters, given, _HERE)
    except InputError as error:
        return str(error).removeprefix(_HERE)
    try:
        if isinstance(settings, GraphParameters):
            check_encoder(settings)
    except InputError as error:
        return f".{error}"
    return ""


def _place(config: Config, dataset: str, model: str, mistake: str) -> str:
    """Where the config sets the hyper-parameter of a training that a mistake begins with."""
    entry = config["models"][model]
    blocks = {
        f"models.{model}.per_dataset.{dataset}": entry.get("per_dataset", {}).get(dataset, {}),
        f"models.{model}.parameters": entry.get("parameters", {}),
        f"datasets.{dataset}.training": config["datasets"][dataset].get("training", {}),
        "training": config["training"],
    }
    return _innermost(blocks, mistake, f"models.{model}")


def _innermost(blocks: Mapping[str, Mapping[str, Any]], mistake: str, default: str) -> str:
    """The first of ``blocks`` that sets all of the dotted key of ``mistake``, or its beginning."""
    keys = mistake.split(":")[0].split(".")[1:]
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
