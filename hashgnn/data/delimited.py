"""Parse text with separators (CSV, TSV, ``::``) batch by batch; cells stay text."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.csv

from hashgnn.data.archive import describe_data, label_of, open_data
from hashgnn.data.cells import Locate, find_columns, parse_separator
from hashgnn.errors import InputError

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
    return next(csv.reader([line], delimiter=text.separator))


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
