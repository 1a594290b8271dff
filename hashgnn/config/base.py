"""Parse blocks of the configuration into typed sections; errors name the offending key."""

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from hashgnn.errors import InputError, did_you_mean, shown

S = TypeVar("S", bound="Section")
T = TypeVar("T")

_NAMES = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    dict: "a mapping",
    NoneType: "nothing",
}
_LARGEST = 2**63  # limit of int64
_BOUNDS = {"ge": "{} or more", "le": "{} or less", "gt": "more than {}", "lt": "less than {}"}
# Types of pydantic errors for values of a wrong type.
_OF_TYPE = ("_type", "literal_error", "int_from_float")


@dataclass(frozen=True)
class Matching:
    """Constrain a text to a regular expression, described by ``meaning`` in messages."""

    pattern: str
    meaning: str

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(kind))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^({self.pattern})$"}

    def _check(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise ValueError(f"expected {self.meaning}, got {shown(text)}")
        return text


def distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    """Return ``values``; raise ``ValueError`` if one of them is repeated."""
    for number, value in enumerate(values):
        if value in values[:number]:
            raise ValueError(f"{shown(value)} is given twice; each may occur once")
    return values


Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Bits = Annotated[int, Field(ge=1, le=1024)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Share = Annotated[float, Field(ge=0, le=1)]
Id = Annotated[str, Matching("[A-Za-z0-9][A-Za-z0-9_-]*", "letters, digits, _ and -")]
Line = Annotated[str, Matching(r"[^\x00-\x1f\x7f-\x9f]+", "one line of text, not empty")]
Several = Annotated[
    tuple[T, ...],
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    AfterValidator(distinct),
]


def _take_lists(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("type") == "tuple":
            schema["strict"] = False
        for part in schema.values():
            _take_lists(part)
    elif isinstance(schema, list):
        for part in schema:
            _take_lists(part)


class Section(BaseModel):
    """A block of the configuration: typed, immutable, without unknown keys.

    The reference of the configuration shows the docstring below each field. Whole numbers are
    accepted for fields of type ``float``, and lists for tuples. Other values are not converted, for
    example text to a number or ``true`` to 1. NaN and infinite numbers are errors.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    def check(self) -> None:
        """Raise ``InputError`` for values that contradict each other, with one line per key."""

    @model_validator(mode="after")
    def _check(self) -> "Section":
        try:
            self.check()
        except InputError as error:
            raise PydanticCustomError("section", "{text}", {"text": str(error)}) from None
        return self

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept lists for tuples, as YAML and JSON have no tuples."""
        schema = handler(source)
        _take_lists(schema)
        return schema


def parse(kind: type[S], block: Mapping[str, Any], where: str = "") -> S:
    """Make a section from a block of the configuration.

    Args:
        kind: The section's class.
        block: Values by key. NumPy and torch numbers and arrays are converted.
        where: Path of the block, which begins each message.

    Raises:
        InputError: For unknown keys and invalid values, with one line each.
    """
    values = plain(block, where)
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise InputError("\n".join(mistakes(error, kind, where))) from None


def plain(value: Any, where: str = "") -> Any:
    """Convert ``value`` to the types of JSON and YAML.

    Raises:
        InputError: It holds other types, or a whole number of more than 64 bits.
    """
    if hasattr(value, "tolist"):  # numbers and arrays of NumPy, pandas and torch
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: plain(inner, at(where, key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, where) for item in value]
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise InputError(f"{where}: expected a number of at most 64 bits, got {shown(value)}")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    hint = "; put it in quotes" if isinstance(value, date) else ""
    raise InputError(
        f"{where}: expected numbers, text, or lists or mappings of them, got {shown(value)}{hint}"
    )


def mistakes(error: ValidationError, kind: type[Section], where: str = "") -> list[str]:
    """Return a line for each mistake: its key, what was found and what was expected."""
    found = [_Mistake(details, kind) for details in error.errors(include_url=False)]
    found = [m for m in found if m.type != "too_short" or not m.value]  # items are invalid
    found.sort(key=lambda mistake: not mistake.is_unknown_key)
    grouped = groupby(found, key=lambda mistake: mistake.path)
    lines = (line for path, group in grouped for line in _lines(path, list(group), where))
    return list(dict.fromkeys(lines))


class _Mistake:
    """An error of pydantic and its place in the configuration.

    ``path`` holds the keys that lead to the value, ``kind`` is the type of its field.
    """

    def __init__(self, details: ErrorDetails, kind: Any) -> None:
        self.type, self.value = details["type"], details["input"]
        self.context, self.message = details.get("ctx", {}), details["msg"]
        *keys, last = details["loc"] or (None,)
        self.is_of_key = last == "[key]"
        self.path, self.kind = _follow(kind, keys[:-1] if self.is_of_key else details["loc"])

    @property
    def is_unknown_key(self) -> bool:
        return self.type in ("extra_forbidden", "invalid_key")


def _follow(kind: Any, keys: Sequence[Any]) -> tuple[tuple[Any, ...], Any]:
    """Return the leading ``keys`` that exist in the configuration, and the type at their end.

    The remaining keys are pydantic's names of the members of a union.
    """
    for number, key in enumerate(keys):
        kind = _bare(kind)
        inner = _descend(kind, key)
        if inner is None:
            return tuple(keys[:number]), kind
        kind = inner
    return tuple(keys), _bare(kind)


def _descend(kind: Any, key: Any) -> Any:
    if _is_section(kind):
        return kind.model_fields[key].rebuild_annotation() if key in kind.model_fields else kind
    if get_origin(kind) is tuple:
        return get_args(kind)[0]
    return get_args(kind)[1] if get_origin(kind) is dict else None


def _bare(kind: Any) -> Any:
    """Return ``kind`` without constraints, and without None if a single type remains."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (UnionType, Union):
        others = [option for option in get_args(kind) if option is not NoneType]
        bare = _bare(others[0])
        if len(others) == 1 and (_is_section(bare) or get_origin(bare) in (tuple, dict)):
            return bare
    return kind


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _lines(path: Sequence[Any], group: Sequence[_Mistake], where: str) -> Iterator[str]:
    of_type = [mistake for mistake in group if mistake.type.endswith(_OF_TYPE)]
    others = [mistake for mistake in group if mistake not in of_type]
    for key in path:
        where = at(where, key)
    if not others:  # no member of the union accepts the type
        yield f"{where}: {_other_type(of_type[0])}"
    for mistake in others:
        yield _line(mistake, where)


def _other_type(mistake: _Mistake) -> str:
    if mistake.is_of_key:
        return f"expected text as keys, got {shown(mistake.value)}"
    kind = mistake.kind
    kinds = [*map(_bare, get_args(kind))] if get_origin(kind) in (UnionType, Union) else [kind]
    return f"expected {_describe(kind)}, got {shown(mistake.value)}{remedy(mistake.value, kinds)}"


def _line(mistake: _Mistake, where: str) -> str:
    if mistake.is_unknown_key:
        known = mistake.kind.model_fields
        nearest = did_you_mean(mistake.path[-1], known)
        return f"{where}: unknown key; known keys: {', '.join(sorted(known)) or 'none'}{nearest}"
    if mistake.type == "section":
        return "\n".join(at(where, line) for line in mistake.context["text"].splitlines())
    if mistake.type == "value_error":
        return f"{where}: {mistake.context['error']}" + " as a key" * mistake.is_of_key
    if mistake.type == "missing":
        return f"{where}: missing; expected {_describe(mistake.kind)}"
    return f"{where}: expected {_expected(mistake)}, got {shown(mistake.value)}"


def _expected(mistake: _Mistake) -> str:
    for name, text in _BOUNDS.items():
        if name in mistake.context:
            bound = mistake.context[name]
            return text.format(f"{int(bound):,}" if bound == int(bound) else bound)
    if mistake.type == "finite_number":
        return "a finite number"
    if mistake.type in ("too_short", "string_too_short"):
        kind = {"dict": "a non-empty mapping", "str": "non-empty text"}
        return kind.get(type(mistake.value).__name__, "a non-empty list")
    if mistake.type == "too_long":
        return f"a list of {mistake.context['max_length']}"
    if mistake.type == "string_pattern_mismatch":
        return f"text that matches {mistake.context['pattern']}"
    return mistake.message


def _describe(kind: Any) -> str:
    kind = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    origin = get_origin(kind) or kind
    if origin is Literal:
        return "one of " + ", ".join(map(repr, get_args(kind)))
    if origin in (UnionType, Union):
        return " or ".join(map(_describe, get_args(kind)))
    if origin is tuple:
        return f"a list, each {_describe(get_args(kind)[0])}"
    if _is_section(kind):
        return f"a mapping of {', '.join(kind.model_fields)}"
    return _NAMES[origin]


def remedy(value: object, kinds: Collection[type]) -> str:
    """Return advice for text that spells a value of one of ``kinds``: int, float or bool."""
    if not isinstance(value, str) or not {int, float, bool} & set(kinds):
        return ""
    written = _as_boolean(value) if bool in kinds else _as_number(value, float not in kinds)
    if not written:
        return ""
    return f", which is text: write {written} without quotes"


def _as_boolean(text: str) -> str:
    return text.lower() if text.lower() in ("true", "false") else ""


def _as_number(text: str, whole: bool) -> str:
    """Return ``text`` as a YAML 1.1 number (1.0e-3 for 1e-3); empty if it is not a number."""
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


def at(where: str, key: Any) -> str:
    """Return the path of ``key`` in the block at ``where``."""
    return f"{where}.{key}" if where else str(key)
