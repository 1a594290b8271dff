"""From the cells of a table to ids, numbers and times; a bad cell is named by its place."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hashgnn.errors import InputError

Locate = Callable[[int], str]  # from a row of the batch to "file, line n"

# Bytes: more is a quote that was never closed, or another column. The csv module, which reads the
# map from numbers to ids back, takes 131,072 characters.
_LONGEST_ID = 10_000

_LATEST = 100_000_000_000  # seconds: the year 5138; more must be milliseconds


def ids(values: pa.Array, role: str, locate: Locate) -> pa.Array:
    """Ids as text, verbatim; ``InputError`` for a missing one and for what is no id."""
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
        f"the {role} is longer than {_LONGEST_ID:,} bytes, and so no id",
        locate,
    )
    return text


def texts(values: pa.Array, role: str, locate: Locate) -> pa.Array:
    """``values`` as text; ``InputError`` for bytes that are none and for types without text."""
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
        f"{locate(bad)}: the {role} is no text but {values.type}{shown}; "
        "store the column as text or integers"
    )


def numbers(values: pa.Array, role: str, locate: Locate) -> np.ndarray:
    """Finite numbers, float64; ``InputError`` for anything else."""
    if pa.types.is_string(values.type):
        values = pc.ascii_trim_whitespace(values)  # not of U+001C to U+001F
    result = _cast(values, pa.float64(), f"a number as {role}", locate)
    floats = result.to_numpy(zero_copy_only=False)
    _refuse(pa.array(~np.isfinite(floats)), f"expected a number as {role}", locate, values)
    return floats


def seconds(values: pa.Array, unit: str, locate: Locate) -> np.ndarray:
    """Times as int64 seconds since 1970.

    ``unit`` says what the cells hold: seconds, milliseconds or iso (ISO 8601; UTC where it
    names no zone). Cells that are timestamps by type (Parquet) need none.
    """
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        moments = _cast(values, pa.timestamp("us"), "a time", locate)
    elif unit == "iso":
        moments = _iso(values, locate)
    else:
        return _numeric_seconds(values, unit, locate)
    return np.floor_divide(moments.cast(pa.int64()).to_numpy(), 1_000_000)


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
    problem = f"the time is beyond the year 5000 if it is in {unit}: is format.time right?"
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
    """The row that cannot be cast; the first where each can by itself."""
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
