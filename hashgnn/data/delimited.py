"""Parse text with separators (CSV, TSV, ``::``) batch by batch, and convert cells of any table.

Parsed cells stay text. The functions that find columns and return ids, numbers and timestamps take
the columns of Parquet files and data frames as well.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from hashgnn.data.archive import describe_data, label_of, open_data
from hashgnn.errors import InputError

# Columns and cells.

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


# Text.

_BLOCK = 1 << 24  # bytes parsed at a time, and the longest line allowed
_UNIT_SEPARATOR = b"\x1f"  # stands for separators of more than one byte


class _Layout(NamedTuple):
    """How the text is laid out, and how errors call it."""

    label: str  # the path, and the member of an archive
    separator: str
    quote: bool
    header: bool
    encoding: str
    member: str | None

    @property
    def is_utf8(self) -> bool:
        """Whether the encoding is UTF-8, under any of its names."""
        return codecs.lookup(self.encoding).name == "utf-8"

    @property
    def replaced(self) -> bool:
        """Whether the separator is longer than the one byte that the parser takes."""
        return len(self.separator.encode()) > 1


class _Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return about ``size`` bytes; none only at the end."""


class _QuoteDetector(io.RawIOBase):
    """A stream that records in ``seen`` whether it has passed on a double quote."""

    def __init__(self, stream: _Readable) -> None:
        self._stream = stream
        self.seen = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return about ``size`` bytes; none only at the end."""
        block = self._stream.read(size)
        self.seen = self.seen or b'"' in block
        return block


class _SeparatorReplacer(io.RawIOBase):
    """A stream with each ``separator`` replaced by one byte, from left to right."""

    def __init__(self, stream: _Readable, separator: bytes) -> None:
        self._stream = stream
        self._separator = separator
        self._held = b""  # the end of the last block, where it may begin a separator

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return about ``size`` bytes; none only at the end."""
        block = self._stream.read(size)
        if _UNIT_SEPARATOR in block:
            raise InputError("the text holds the control character 0x1f; use another separator")
        text = (self._held + block).replace(self._separator, _UNIT_SEPARATOR)
        self._held = self._partial(text) if block else b""
        ready = text[: len(text) - len(self._held)]
        return ready if ready or not block else self.read(size)

    def _partial(self, text: bytes) -> bytes:
        """Return the longest end of ``text`` that may begin a separator."""
        for length in range(len(self._separator) - 1, 0, -1):
            if text.endswith(self._separator[:length]):
                return self._separator[:length]
        return b""


def read_delimited(
    path: Path, columns: Mapping[str, Any], layout: Mapping[str, Any]
) -> Iterator[tuple[dict[str, pa.Array], Locate]]:
    """Yield the column of each role, batch by batch, and the locator of the batch's rows.

    Raises:
        InputError: names the file and the line of the first row that cannot be parsed.
    """
    text = _layout(path, layout)
    try:
        yield from _read(path, columns, text)
    except (LookupError, UnicodeError) as error:
        raise InputError(
            f"{text.label}: not {text.encoding} text ({error}): set format.encoding"
        ) from error
    except csv.Error as error:
        raise InputError(f"{text.label}: cannot parse the header line ({error})") from error
    except pa.ArrowException as error:
        raise InputError(_explain(path, text, str(error))) from error


def check_header(path: Path, columns: Mapping[str, Any], layout: Mapping[str, Any]) -> None:
    """Raise ``InputError`` unless the first line has the column of each role."""
    text = _layout(path, layout)
    with suppress(LookupError, UnicodeError, csv.Error):  # which reading reports
        first, _ = _first_line(path, text)
        find_columns(columns, first if text.header else None, len(first), text.label)


def _layout(path: Path, layout: Mapping[str, Any]) -> _Layout:
    name = describe_data(path, layout.get("member")).name
    tabs = name.lower().endswith((".tsv", ".tab"))
    separator = parse_separator(layout.get("separator", "\t" if tabs else ","))
    encoding = layout.get("encoding", "utf-8")
    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError) as error:
        raise InputError(f"format.encoding {encoding!r}: no such encoding") from error
    # With a separator of several bytes, quotes are ordinary characters.
    return _Layout(
        label_of(path, layout.get("member")),
        separator,
        layout.get("quote", True) and len(separator.encode()) == 1,
        layout.get("header", True),
        encoding,
        layout.get("member"),
    )


def _read(
    path: Path, columns: Mapping[str, Any], text: _Layout
) -> Iterator[tuple[dict[str, pa.Array], Locate]]:
    first, skipped = _first_line(path, text)
    roles = find_columns(columns, first if text.header else None, len(first), text.label)
    start = 0
    with open_data(path, text.member) as raw:
        stream = _QuoteDetector(raw)
        for batch in _open_csv(stream, text, len(first), skipped, set(roles.values())):
            cells = {role: batch.column(str(position)) for role, position in roles.items()}
            yield cells, _locator(path, text, start)
            start += batch.num_rows
    if text.quote and stream.seen:
        _check_rows(path, text, start)


def _check_rows(path: Path, text: _Layout, rows: int) -> None:
    """Refuse a table with fewer rows than lines: an unclosed quote swallows those that follow."""
    lines = sum(map(bool, _lines(path, text))) - text.header
    if lines != rows:
        raise InputError(
            f"{text.label}: {lines:,} lines make {rows:,} rows, as some cell in quotes holds a "
            "line break or is never closed; set format.quote: false if quotes are ordinary "
            "characters"
        )


def _open_csv(
    stream: _QuoteDetector, text: _Layout, count: int, skipped: int, wanted: set[int]
) -> Iterator[pa.RecordBatch]:
    names = [str(position) for position in sorted(wanted)]
    return pyarrow.csv.open_csv(
        _with_one_byte(stream, text) if text.replaced else stream,
        # One thread: only then do errors name the row.
        pyarrow.csv.ReadOptions(
            use_threads=False,
            block_size=_BLOCK,
            skip_rows=skipped,
            column_names=[str(position) for position in range(count)],
            encoding="utf-8" if text.replaced else text.encoding,
        ),
        pyarrow.csv.ParseOptions(
            delimiter=_UNIT_SEPARATOR.decode() if text.replaced else text.separator,
            quote_char='"' if text.quote else False,
        ),
        pyarrow.csv.ConvertOptions(
            include_columns=names, column_types=dict.fromkeys(names, pa.string())
        ),
    )


def _with_one_byte(stream: _QuoteDetector, text: _Layout) -> _SeparatorReplacer:
    """Return the text with one byte for each separator.

    It is converted to UTF-8, in which the bytes of a separator never begin within a character.
    """
    if not text.is_utf8:
        stream = pa.transcoding_input_stream(pa.PythonFile(stream, "r"), text.encoding, "utf-8")
    return _SeparatorReplacer(stream, text.separator.encode())


def _first_line(path: Path, text: _Layout) -> tuple[list[str], int]:
    """Return the cells of the first non-empty line, and the number of lines before the data."""
    for number, line in enumerate(_lines(path, text)):
        if "\ufffd" in line:
            raise InputError(f"{text.label}: not {text.encoding} text: set format.encoding")
        if line:
            return _cells(line, text), number + text.header
    raise InputError(f"{text.label}: empty file")


def _cells(line: str, text: _Layout) -> list[str]:
    if not text.quote:
        return line.split(text.separator)
    # Strict, so that a quote that is never closed does not swallow the first row.
    return next(csv.reader([line], delimiter=text.separator, strict=text.header))


def _lines(path: Path, text: _Layout) -> Iterator[str]:
    encoding = "utf-8-sig" if text.is_utf8 else text.encoding
    with open_data(path, text.member) as stream:
        lines = io.TextIOWrapper(stream, encoding, errors="replace")
        while line := lines.readline(_BLOCK):
            yield line.rstrip("\n")


def _locator(path: Path, text: _Layout, start: int) -> Locate:
    return lambda row: f"{text.label}, line {_line_of(path, text, start + row)}"


def _line_of(path: Path, text: _Layout, row: int) -> int:
    """Return the line (from 1) of data row ``row`` (from 0); empty lines are no rows."""
    rows = -1 - text.header
    for number, line in enumerate(_lines(path, text), start=1):
        rows += bool(line)
        if rows == row:
            return number
    return number


def _explain(path: Path, text: _Layout, message: str) -> str:
    """Return PyArrow's message with the line of the file in place of its row number."""
    place = re.search(r"Row #(\d+): ", message)
    if not place:
        return f"{text.label}: cannot be read as a table ({' '.join(message.split())})"
    skipped = _first_line(path, text)[1]
    line = _line_of(path, text, int(place[1]) - skipped - 1)
    problem = " ".join(message[place.end() :].split())[:200]
    hint = ": set format.encoding" if "UTF8" in problem else ""
    return f"{text.label}, line {line}: {problem}{hint}"
