"""Settings from the config: typed, checked, named in every complaint."""

import dataclasses
from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from hashgnn.errors import InputError

T = TypeVar("T")


def parse(kind: type[T], block: Mapping[str, Any], where: str) -> T:
    """Make the dataclass ``kind`` from a mapping of the config.

    Raises ``InputError`` naming the key for unknown keys and wrong types.
    """
    hints = get_type_hints(kind)
    unknown = sorted(set(block) - set(hints))
    if unknown:
        known = ", ".join(sorted(hints))
        raise InputError(f"{where}.{unknown[0]}: no such key; known here: {known}")
    values = {key: _convert(hints[key], value, f"{where}.{key}") for key, value in block.items()}
    return kind(**values)


def _convert(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return parse(hint, value, where)
    if get_origin(hint) is tuple and isinstance(value, list):
        return tuple(_convert(get_args(hint)[0], item, where) for item in value)
    if not _fits(hint, value):
        raise InputError(f"{where}: expected {_describe(hint)}, got {value!r}")
    return float(value) if hint is float else value


def _fits(hint: Any, value: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is UnionType:
        return any(_fits(option, value) for option in get_args(hint))
    if hint in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if hint is float else get_origin(hint) or hint)


def _describe(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(repr, get_args(hint)))
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    return names.get(hint, str(hint))
