"""Find the columns of a table and convert their cells: ids, numbers, timestamps."""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hashgnn.errors import InputError

# Escapes for characters that cannot be typed in a shell.
_ESCAPE = re.compile(r"\\(?:t|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})")


def parse_separator(text: str) -> str:
    r"""Return the separator that ``text`` denotes, such as ``\t``; ``InputError`` if invalid."""
    separator = _ESCAPE.sub(lambda match: match[0].encode().decode("unicode_escape"), text)
    if not separator:
        raise InputError("format.separator is empty; give the text between two fields")
    if set(separator) & set('"\r\n\0') or any("\ud800" <= sign <= "\udfff" for sign in separator):
        raise InputError(
            f"format.separator is {text!r}; expected text without double quotes, line breaks, "
            "null characters and lone surrogates"
        )
    return separator


Locate = Callable[[int], str]  # from a row of the batch to "file, line n"

# Bytes: a longer id comes from a quote that is never closed, or from a wrong column. The csv
# module, which reads the map from numbers to ids, takes up to 131,072 characters.
_LONGEST_ID = 10_000

_HEAVIEST = 1e9  # sums of weights stay far from the limits of float32

_LATEST = 100_000_000_000  # seconds: the year 5138; more must be milliseconds


def ids(values: pa.Array, role: str, locate: Locate) -> pa.Array:
    """Return ids as text, verbatim; ``InputError`` for a missing or an invalid one."""
    _refuse(values.is_null(), f"the {role} is missing", locate)
    if pa.types.is_floating(values.type):
        raise InputError(
            f"{locate(0)}: the {role} ids are stored as floating-point numbers; "
            "store them as integers or text"
        )
    text = texts(values, role, locate)
    length = pc.binary_length(text)
    _refuse(pc.equal(length, 0), f"the {role} is missing", locate)
    _refuse(
        pc.greater(length, _LONGEST_ID),
        f"the {role} is longer than {_LONGEST_ID:,} bytes, the longest id allowed",
        locate,
    )
    return text


def texts(values: pa.Array, role: str, locate: Locate) -> pa.Array:
    """Return ``values`` as text; ``InputError`` for invalid UTF-8 and for other types."""
    bytes_alone = isinstance(values.type, pa.BaseExtensionType) or pa.types.is_fixed_size_binary(
        values.type
    )
    bad = 0
    if not bytes_alone:
        try:
            return values.cast(pa.string())
        except pa.ArrowException:
            bad = _first_bad(values, pa.string())
    shown = f", {repr(values[bad].as_py())[:80]}" if len(values) else ""
    raise InputError(
        f"{locate(bad)}: expected text as {role}, got {values.type}{shown}; "
        "store the column as text or integers"
    )


def numbers(values: pa.Array, role: str, locate: Locate) -> np.ndarray:
    """Return finite numbers, float64; ``InputError`` for anything else."""
    if pa.types.is_string(values.type):
        values = pc.ascii_trim_whitespace(values)  # U+001C to U+001F stay
    result = _cast(values, pa.float64(), f"a number as {role}", locate)
    floats = result.to_numpy(zero_copy_only=False)
    _refuse(pa.array(~np.isfinite(floats)), f"expected a number as {role}", locate, values)
    return floats


def weights(values: pa.Array, locate: Locate) -> np.ndarray:
    """Return weights of interactions, float64; ``InputError`` unless all are above 0."""
    floats = numbers(values, "weight", locate)
    _refuse(pa.array(floats <= 0), "expected a weight above 0", locate, values)
    _refuse(pa.array(floats > _HEAVIEST), f"expected a weight up to {_HEAVIEST:g}", locate, values)
    return floats


def seconds(values: pa.Array, unit: str, locate: Locate) -> np.ndarray:
    """Return timestamps as int64 seconds since 1970.

    ``unit`` is the form of the cells: seconds, milliseconds or iso (ISO 8601; UTC if it names no
    zone). It is ignored for columns that are timestamps by type (Parquet).
    """
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        times = _cast(values, pa.timestamp("us"), "a time", locate)
    elif unit == "iso":
        times = _iso(values, locate)
    else:
        return _numeric_seconds(values, unit, locate)
    return np.floor_divide(times.cast(pa.int64()).to_numpy(), 1_000_000)


def _iso(values: pa.Array, locate: Locate) -> pa.Array:
    for target in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return values.cast(target)
        except pa.ArrowInvalid:
            continue
    zoned = pa.timestamp("us", "UTC") if str(values[0]).endswith("Z") else pa.timestamp("us")
    return _cast(values, zoned, "a time in ISO 8601, all with a zone or all without", locate)


def _numeric_seconds(values: pa.Array, unit: str, locate: Locate) -> np.ndarray:
    floats = numbers(values, "time", locate)
    if unit == "milliseconds":
        floats = floats / 1000.0
    problem = f"the time is after the year 5000 if it is in {unit}: check format.time"
    _refuse(pa.array(np.abs(floats) > _LATEST), problem, locate, values)
    return np.floor(floats).astype(np.int64)


def _cast(values: pa.Array, target: pa.DataType, expected: str, locate: Locate) -> pa.Array:
    _refuse(values.is_null(), f"expected {expected}, got nothing", locate)
    try:
        return values.cast(target, safe=False)
    except pa.ArrowException:
        bad = _first_bad(values, target)
        raise InputError(f"{locate(bad)}: expected {expected}, got {_shown(values[bad])}") from None


def _first_bad(values: pa.Array, target: pa.DataType) -> int:
    """Return the first row that cannot be cast by itself; 0 if there is none."""
    return next((row for row, value in enumerate(values) if not _casts(value, target)), 0)


def _casts(value: pa.Scalar, target: pa.DataType) -> bool:
    try:
        value.cast(target)
    except pa.ArrowException:
        return False
    return True


def _refuse(bad: pa.Array, problem: str, locate: Locate, values: pa.Array | None = None) -> None:
    row = pc.index(bad, True).as_py()
    if row >= 0:
        got = "" if values is None else f", got {_shown(values[row])}"
        raise InputError(f"{locate(row)}: {problem}{got}")


def _shown(value: pa.Scalar) -> str:
    return repr(str(value))[:80]


ROLES = ("user", "item", "rating", "time", "behavior", "weight")


class NameOrPosition(str):
    """A column given as text: the column of that name, else the one at that position."""

    def resolve(self, names: Sequence[str] | None) -> str | int:
        """Return the name or the position that is meant among columns called ``names``."""
        number = self.isascii() and self.isdecimal() and len(self) < 10
        return int(self) if number and self not in (names or ()) else str(self)


def find_columns(
    columns: Mapping[str, str | int], names: Sequence[str] | None, count: int, where: str
) -> dict[str, int]:
    """Return the position of each role's column in a table of ``count`` columns.

    ``columns`` maps a role to a column's name or position (from 0); ``names`` are the table's
    column names, None if it has no header. ``InputError`` names a column that is missing.
    """
    found = {
        role: _find(role, columns[role], names, count, where) for role in ROLES if role in columns
    }
    if found["user"] == found["item"]:
        raise InputError(f"{where}: columns.user and columns.item are the same column")
    return found


def _find(role: str, column: str | int, names: Sequence[str] | None, count: int, where: str) -> int:
    if isinstance(column, NameOrPosition):
        column = column.resolve(names)
    if isinstance(column, int):
        if 0 <= column < count:
            return column
        raise InputError(f"{where}: no column {column} for {role}; there are 0 to {count - 1}")
    if names is None:
        raise InputError(
            f"{where}: columns.{role} is {column!r}, but with format.header false the columns "
            f"have no names: give a position, 0 to {count - 1}"
        )
    matches = [position for position, name in enumerate(names) if name == column]
    if len(matches) == 1:
        return matches[0]
    problem = "several columns" if matches else "no column"
    listed = ", ".join(repr(name) for name in names[:50])
    merged = len(names) == 1 and re.search(r"[,;|\t]", names[0])
    hint = f"; if {merged[0]!r} separates fields, set format.separator" if merged else ""
    raise InputError(f"{where}: {problem} {column!r} for {role}; there are: {listed}{hint}")
