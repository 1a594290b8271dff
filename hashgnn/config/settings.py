"""Settings from the config: typed, checked, named in every complaint."""

import dataclasses
import math
from collections.abc import Collection, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

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
    hints = get_type_hints(kind)
    unknown = sorted(set(block) - set(hints), key=str)
    if unknown:
        known, nearest = ", ".join(sorted(hints)), did_you_mean(unknown[0], hints)
        raise InputError(f"{_at(where, unknown[0])}: no such key; known here: {known}{nearest}")
    values = {key: _take(hints[key], value, _at(where, key)) for key, value in block.items()}
    try:
        return kind(**values)
    except InputError as error:  # of ``require``, which does not know where it is
        raise InputError(_at(where, str(error))) from None


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
    return _convert(hint, _plain(value, where), where)


def _plain(value: Any, where: str) -> Any:
    """``value`` in the types that JSON and YAML have, which records are written in."""
    if hasattr(value, "tolist"):  # numbers and arrays of NumPy, pandas and torch
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(inner, _at(where, key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, where) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise InputError(
        f"{where}: expected numbers, texts, or lists or mappings of them, got {shown(value)}"
    )


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


def remedy(value: object, kinds: Collection[type]) -> str:
    """What to write for a text that means one of ``kinds``: int, float or bool; else nothing."""
    if not isinstance(value, str) or not {int, float, bool} & set(kinds):
        return ""
    written = _as_boolean(value) if bool in kinds else _as_number(value, float not in kinds)
    if not written:
        return ""
    return f", which is a text: write {written} without quotes"


def _as_boolean(text: str) -> str:
    return text.lower() if text.lower() in ("true", "false") else ""


def _as_number(text: str, whole: bool) -> str:
    """``text`` as YAML 1.1 takes it for a number, 1.0e-3 for 1e-3; empty if it means none."""
    try:
        number = float(text)
    except ValueError:
        return ""
    if not math.isfinite(number) or (whole and not number.is_integer()):
        return ""
    if whole:
        return str(int(number))
    mantissa, _, exponent = text.strip().lower().partition("e")
    if not exponent:
        mantissa, _, exponent = repr(number).partition("e")
    mantissa += "" if "." in mantissa else ".0"
    return f"{mantissa}e{int(exponent):+d}" if exponent else mantissa


def _at(where: str, key: Any) -> str:
    return f"{where}.{key}" if where else str(key)
