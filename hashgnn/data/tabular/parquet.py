"""Parquet files, batch by batch."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hashgnn.data.archive import describe_data, open_data
from hashgnn.data.tabular.columns import Locate, find_columns
from hashgnn.errors import InputError
from hashgnn.stage.record import available_mb

_BATCH = 1 << 20  # rows


def read_parquet(
    path: Path, columns: Mapping[str, Any], layout: Mapping[str, Any]
) -> Iterator[tuple[dict[str, pa.Array], Locate]]:
    """Yield the columns of each role, batch by batch, and the way to name a row's place."""
    try:
        yield from _read(path, columns, layout)
    except (pa.ArrowException, OSError) as error:  # Arrow's own OSError names no file
        raise InputError(f"{path}: cannot be read as Parquet ({_line(error)})") from error


def _read(
    path: Path, columns: Mapping[str, Any], layout: Mapping[str, Any]
) -> Iterator[tuple[dict[str, pa.Array], Locate]]:
    file = pq.ParquetFile(_source(path, layout.get("member")))
    schema = file.schema_arrow
    roles = find_columns(columns, schema.names, len(schema.names), str(path))
    for role, position in roles.items():
        if pa.types.is_nested(schema.types[position]):
            raise InputError(f"{path}: the {role} column holds {schema.types[position]} values")
        if schema.names.count(schema.names[position]) > 1:  # Parquet's columns are had by name
            raise InputError(f"{path}: several columns {schema.names[position]!r}; rename them")
    start = 0
    for batch in file.iter_batches(_BATCH, columns=[schema.names[p] for p in roles.values()]):
        cells = {role: _plain(batch.column(schema.names[p])) for role, p in roles.items()}
        yield cells, _locator(path, start)
        start += batch.num_rows


def _source(path: Path, member: str | None) -> pa.NativeFile:
    """Parquet is read from its end, so a compressed one has to be held in memory."""
    if not describe_data(path, member).wrapped:
        return pa.OSFile(os.fsencode(path))  # a name need not be text
    most = available_mb() << 20
    with open_data(path, member) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise InputError(f"{path}: unpacks to more than the memory that is free, {most >> 20:,} MB")
    return pa.BufferReader(content)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _plain(values: pa.Array) -> pa.Array:
    """``values`` in the simplest of the types that hold the same."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    return values


def _locator(path: Path, start: int) -> Locate:
    return lambda row: f"{path}, row {start + row + 1}"
