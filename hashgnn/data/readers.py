"""Read interactions from files: tables (CSV, TSV, Parquet) and adjacency lists.

A reader is a function of the paths and the settings of the data set that yields batches of
interactions, file by file; prepare.READERS names the readers.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hashgnn.config.data_sets import parse_moment
from hashgnn.data.archive import describe_data, label_of, open_data
from hashgnn.data.delimited import (
    Locate,
    check_header,
    find_columns,
    ids,
    numbers,
    parse_separator,
    read_delimited,
    seconds,
    texts,
    weights,
)
from hashgnn.data.interactions import Batch
from hashgnn.errors import InputError
from hashgnn.stage.record import available_mb

_BLOCK = 1 << 24  # bytes of an adjacency list read at a time, and the longest line allowed
_PARQUET_ROWS = 1 << 20  # rows of a Parquet file read at a time
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_FILTERED_ROLES = {  # the column that each filter of rows tests
    "rating_at_least": "rating",
    "behaviors": "behavior",
    "time_from": "time",
    "time_before": "time",
}


class Source(NamedTuple):
    """A file, or a member of an archive, that interactions are read from."""

    path: Path
    name: str  # of the member, or of the file
    layout: Mapping[str, Any]  # ``format``, with the member to read
    behavior: str | None  # of all its interactions, where the settings say so


def sources(paths: Sequence[Path], settings: Mapping[str, Any]) -> list[Source]:
    """Return what is read, in order: each of ``format.members`` of one archive, or each file.

    ``format.members`` is a list of {name, behavior}, behavior being optional. Members whose
    behavior ``filter.behaviors`` does not name are left out.
    """
    layout = settings.get("format", {})
    members = layout.get("members")
    if not members:
        return [Source(path, path.name, layout, None) for path in paths]
    if len(paths) != 1:
        raise InputError(f"format.members: expected one archive, found {len(paths)} files")
    kept = settings.get("filter", {}).get("behaviors")
    plain = {key: value for key, value in layout.items() if key != "members"}
    return [
        Source(paths[0], member["name"], {**plain, "member": member["name"]}, behavior)
        for member in members
        for behavior in [member.get("behavior")]
        if kept is None or behavior is None or behavior in map(str, kept)
    ]


def read_table(paths: Sequence[Path], settings: Mapping[str, Any]) -> Iterator[Batch]:
    """Yield the interactions of tables with one interaction a row, plain or compressed.

    Args:
        paths: CSV, TSV or Parquet files, read in this order.
        settings: ``columns`` {user, item, rating, time, behavior, weight}, names or positions from
            0, of which user and item are required; ``format`` {type: csv | parquet, separator,
            header, quote, encoding, member, members, time: seconds | milliseconds | iso};
            ``filter`` {rating_at_least, behaviors, time_from, time_before}, times in ISO 8601.

    Raises:
        InputError: names the file and the line of the first row that cannot be read.
    """
    columns = settings["columns"]
    for number, source in enumerate(sources(paths, settings)):
        # The behavior of a whole member has been compared already.
        whole = {"behaviors": None} if source.behavior is not None else {}
        keep = {**settings.get("filter", {}), **whole}
        _check_filter(columns, keep)
        read = _read_parquet if _is_parquet(source.path, source.layout) else read_delimited
        for cells, locate in read(source.path, columns, source.layout):
            yield _filtered(cells, source.layout.get("time", "seconds"), keep, number, locate)


def check_columns(paths: Sequence[Path], settings: Mapping[str, Any]) -> None:
    """Raise ``InputError`` unless each table has the columns that ``settings`` name.

    Reads no more than the first line of a text, and nothing of a compressed Parquet file.
    """
    columns = settings["columns"]
    for source in sources(paths, settings):
        path, layout = source.path, source.layout
        if not _is_parquet(path, layout):
            check_header(path, columns, layout)
        elif not describe_data(path, layout.get("member")).wrapped:
            with suppress(pa.ArrowException):  # which reading reports
                names = pq.read_schema(path).names
                find_columns(columns, names, len(names), label_of(path, layout.get("member")))


def _check_filter(columns: Mapping[str, Any], keep: Mapping[str, Any]) -> None:
    for key, role in _FILTERED_ROLES.items():
        if keep.get(key) is not None and role not in columns:
            raise InputError(f"filter.{key} needs to know the column: set columns.{role}")


def _is_parquet(path: Path, layout: Mapping[str, Any]) -> bool:
    content = describe_data(path, layout.get("member"))
    detected = content.parquet or content.name.lower().endswith((".parquet", ".pq"))
    return layout.get("type", "parquet" if detected else "csv") == "parquet"


def _filtered(
    cells: Mapping[str, pa.Array], unit: str, keep: Mapping[str, Any], source: int, locate: Locate
) -> Batch:
    """Return the rows that the filters keep."""
    user, item = (ids(cells[role], role, locate) for role in ("user", "item"))
    time = seconds(cells["time"], unit, locate) if "time" in cells else None
    weight = weights(cells["weight"], locate) if "weight" in cells else None
    rows = len(user)
    kept = _kept(cells, time, keep, locate)
    if kept is not None:
        user, item = user.filter(pa.array(kept)), item.filter(pa.array(kept))
        time = None if time is None else time[kept]
        weight = None if weight is None else weight[kept]
    return Batch(user, item, time, source, rows, weight)


def _kept(
    cells: Mapping[str, pa.Array], time: np.ndarray | None, keep: Mapping[str, Any], locate: Locate
) -> np.ndarray | None:
    """Return which rows the filters keep, bool [rows]; None if no filter applies."""
    masks = []
    if "rating" in cells:
        # Parsed even without a threshold: a rating that is no number means a wrong column.
        threshold = keep.get("rating_at_least")
        least = -np.inf if threshold is None else threshold
        masks.append(numbers(cells["rating"], "rating", locate) >= least)
    if keep.get("behaviors") is not None:
        kinds = pa.array([str(behavior) for behavior in keep["behaviors"]], pa.string())
        found = pc.is_in(texts(cells["behavior"], "behavior", locate), value_set=kinds)
        masks.append(found.to_numpy(zero_copy_only=False))
    for key, holds in (("time_from", np.greater_equal), ("time_before", np.less)):
        if time is not None and keep.get(key) is not None:
            masks.append(holds(time, parse_moment(keep[key], f"filter.{key}")))
    return np.logical_and.reduce(masks) if masks else None


def _read_parquet(
    path: Path, columns: Mapping[str, Any], layout: Mapping[str, Any]
) -> Iterator[tuple[dict[str, pa.Array], Locate]]:
    """Yield the column of each role, batch by batch, and the locator of the batch's rows."""
    label = label_of(path, layout.get("member"))
    try:
        yield from _parquet_batches(path, label, columns, layout)
    except (pa.ArrowException, OSError) as error:  # Arrow's OSError does not name the file
        reason = " ".join(str(error).split())
        raise InputError(f"{label}: cannot be read as Parquet ({reason})") from error


def _parquet_batches(
    path: Path, label: str, columns: Mapping[str, Any], layout: Mapping[str, Any]
) -> Iterator[tuple[dict[str, pa.Array], Locate]]:
    file = pq.ParquetFile(_open_parquet(path, layout.get("member")))
    schema = file.schema_arrow
    roles = find_columns(columns, schema.names, len(schema.names), label)
    for role, position in roles.items():
        if pa.types.is_nested(schema.types[position]):
            raise InputError(f"{label}: the {role} column holds {schema.types[position]} values")
        if schema.names.count(schema.names[position]) > 1:  # columns are selected by name
            raise InputError(f"{label}: several columns {schema.names[position]!r}; rename them")
    names = {role: schema.names[position] for role, position in roles.items()}
    start = 0
    for batch in file.iter_batches(_PARQUET_ROWS, columns=list(dict.fromkeys(names.values()))):
        cells = {role: _decoded(batch.column(name)) for role, name in names.items()}
        yield cells, _row_locator(label, start)
        start += batch.num_rows


def _row_locator(label: str, start: int) -> Locate:
    return lambda row: f"{label}, row {start + row + 1}"


def _open_parquet(path: Path, member: str | None) -> pa.NativeFile:
    """Open a Parquet file for random access: a compressed one is decompressed into memory."""
    if not describe_data(path, member).wrapped:
        return pa.OSFile(os.fsencode(path))  # a file name may be other bytes than text
    most = available_mb() << 20
    with open_data(path, member) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise InputError(f"{path}: unpacks to more than the available memory, {most >> 20:,} MB")
    return pa.BufferReader(content)


def _decoded(values: pa.Array) -> pa.Array:
    """Return dictionaries, large strings and string views as plain arrays."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    return values


def read_adjacency(paths: Sequence[Path], settings: Mapping[str, Any]) -> Iterator[Batch]:
    """Yield the interactions of adjacency lists (the format of NGCF and LightGCN).

    A line holds a user, then its items. A user without items adds no interaction.

    Args:
        paths: text files in UTF-8, plain or compressed, read in this order.
        settings: ``format`` {separator (default: any white space), member, members}.
    """
    layout = settings.get("format", {})
    separator = parse_separator(layout["separator"]).encode() if "separator" in layout else None
    for number, source in enumerate(sources(paths, settings)):
        member = source.layout.get("member")
        label = label_of(source.path, member)
        with open_data(source.path, member) as stream:
            start = 1
            while lines := _next_lines(stream, f"{label}, line {start}"):
                if start == 1:
                    lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
                yield _adjacency_batch(lines, separator, number, f"{label}, from line {start}")
                start += len(lines)
        if start == 1:
            raise InputError(f"{label}: empty file")


def _next_lines(stream: IO[bytes], where: str) -> list[bytes]:
    """Read about a block of lines; ``InputError`` for a line that is longer than a block."""
    lines, size = [], 0
    while size < _BLOCK and (line := stream.readline(_BLOCK)):
        if len(line) == _BLOCK:
            raise InputError(f"{where} or later: more than {_BLOCK:,} bytes without a line break")
        lines.append(line)
        size += len(line)
    return lines


def _adjacency_batch(lines: list[bytes], separator: bytes | None, source: int, where: str) -> Batch:
    rows = [[id_ for id_ in line.rstrip(b"\r\n").split(separator) if id_] for line in lines]
    rows = [row for row in rows if row]
    owner = np.repeat(np.arange(len(rows)), [len(row) - 1 for row in rows])
    users = _decoded_ids([row[0] for row in rows], "user", where)
    items = _decoded_ids([item for row in rows for item in row[1:]], "item", where)
    return Batch(users.take(pa.array(owner)), items, None, source, len(items))


def _decoded_ids(cells: list[bytes], role: str, where: str) -> pa.Array:
    try:
        text = pa.array(cells, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid as error:
        raise InputError(f"{where}: not UTF-8 text") from error
    return ids(text, role, lambda row: where)
