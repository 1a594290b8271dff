"""Settings from the config: typed, checked, named in every complaint."""

import dataclasses
import math
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from hashgnn.config import base
from hashgnn.config.base import at, plain, remedy
from hashgnn.errors import InputError, did_you_mean, shown

T = TypeVar("T")

_NAMES = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    dict: "a mapping",
    NoneType: "nothing",
}
_LARGEST = 2**63  # of what arrays hold


def parse(kind: type[T], block: Mapping[str, Any], where: str = "") -> T:
    """Make the dataclass ``kind`` from a mapping of the config, which is at ``where``.

    Numbers and arrays of other libraries are taken as the numbers they hold. Raises ``InputError``
    naming the key for unknown keys and wrong types.
    """
    if issubclass(kind, base.Section):
        return base.parse(kind, block, where)
    hints = get_type_hints(kind)
    unknown = sorted(set(block) - set(hints), key=str)
    if unknown:
        known, nearest = ", ".join(sorted(hints)), did_you_mean(unknown[0], hints)
        raise InputError(f"{at(where, unknown[0])}: no such key; known here: {known}{nearest}")
    values = {key: _take(hints[key], value, at(where, key)) for key, value in block.items()}
    try:
        return kind(**values)
    except InputError as error:  # of ``require``, which does not know where it is
        raise InputError(at(where, str(error))) from None


def require(settings: Any, **least: float) -> None:
    """``InputError`` if a setting, or a number among several, is below what it must be at least.

    No number may be NaN or infinite.
    """
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        several = value if isinstance(value, tuple) else (value,)
        numbers = [number for number in several if isinstance(number, int | float)]
        if not all(map(math.isfinite, numbers)):
            raise InputError(f"{field.name}: expected a finite number, got {value!r}")
        lowest = least.get(field.name, -math.inf)
        if field.name in least and (not several or any(n < lowest for n in numbers)):
            raise InputError(f"{field.name}: expected {lowest:g} or more, got {value!r}")


def at_most(settings: Any, **most: float) -> None:
    """``InputError`` if a setting is above what it may be at most."""
    for name, highest in most.items():
        value = getattr(settings, name)
        if value is not None and value > highest:
            raise InputError(f"{name}: expected {highest:g} or less, got {value!r}")


def _take(hint: Any, value: Any, where: str) -> Any:
    return _convert(hint, plain(value, where), where)


def _convert(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return parse(hint, value, where)
    if get_origin(hint) is tuple and isinstance(value, list):
        return tuple(_convert(get_args(hint)[0], item, where) for item in value)
    if not _fits(hint, value):
        problem = f"expected {_describe(hint)}, got {shown(value)}"
        kinds = get_args(hint) if get_origin(hint) is UnionType else (hint,)
        raise InputError(f"{where}: {problem}{remedy(value, kinds)}")
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise InputError(f"{where}: expected a number of at most 64 bits, got {shown(value)}")
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
    origin = get_origin(hint) or hint
    if origin is Literal:
        return "one of " + ", ".join(map(repr, get_args(hint)))
    if origin is UnionType:
        return " or ".join(map(_describe, get_args(hint)))
    if origin is tuple:
        return f"a list, each {_describe(get_args(hint)[0])}"
    if dataclasses.is_dataclass(origin):
        return "a mapping of " + ", ".join(field.name for field in dataclasses.fields(origin))
    return _NAMES[origin]
