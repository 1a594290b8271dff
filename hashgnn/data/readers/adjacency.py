"""Adjacency lists: a user, then its items, a line (the format of NGCF and LightGCN).

Settings: ``format`` {separator (default: any white space), member}.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa

from hashgnn.data.archive import open_data
from hashgnn.data.ids import Batch
from hashgnn.data.tabular.columns import ids, parse_separator
from hashgnn.errors import InputError

_BLOCK = 1 << 24  # bytes read at a time, and the longest line there may be
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read(paths: Sequence[Path], settings: Mapping[str, Any]) -> Iterator[Batch]:
    """Yield the interactions of each file in turn. A user without items adds none."""
    layout = settings.get("format", {})
    separator = parse_separator(layout["separator"]).encode() if "separator" in layout else None
    for source, path in enumerate(paths):
        with open_data(path, layout.get("member")) as stream:
            start = 1
            while lines := _lines(stream, f"{path}, line {start}"):
                if start == 1:
                    lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
                yield _batch(lines, separator, source, f"{path}, from line {start}")
                start += len(lines)
        if start == 1:
            raise InputError(f"{path}: empty file")


def _lines(stream: IO[bytes], where: str) -> list[bytes]:
    """About a block of lines. A line longer than that is no user, and may be without end."""
    lines, size = [], 0
    while size < _BLOCK and (line := stream.readline(_BLOCK)):
        if len(line) == _BLOCK:
            raise InputError(f"{where} or later: more than {_BLOCK:,} bytes without a line break")
        lines.append(line)
        size += len(line)
    return lines


def _batch(lines: list[bytes], separator: bytes | None, source: int, where: str) -> Batch:
    rows = [[id_ for id_ in line.rstrip(b"\r\n").split(separator) if id_] for line in lines]
    rows = [row for row in rows if row]
    owner = np.repeat(np.arange(len(rows)), [len(row) - 1 for row in rows])
    users = _text([row[0] for row in rows], "user", where)
    items = _text([item for row in rows for item in row[1:]], "item", where)
    return Batch(users.take(pa.array(owner)), items, None, source, len(items))


def _text(cells: list[bytes], role: str, where: str) -> pa.Array:
    try:
        text = pa.array(cells, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid as error:
        raise InputError(f"{where}: not UTF-8 text") from error
    return ids(text, role, lambda row: where)
