"""A model with other values of some hyper-parameters: its id, which stands in paths, and entry."""

import copy
import re
from collections.abc import Mapping
from typing import Any

from hashgnn.errors import InputError
from hashgnn.experiment.parameters import merged, shares_training

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
