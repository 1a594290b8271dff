"""The same small table in every form of file, and ways to read it."""

import io
import os
import tarfile
import threading
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hashgnn.data.prepare import Prepared, prepare
from hashgnn.errors import InputError

ROWS = [("a", "x"), ("a", "y"), ("b", "x")]


CSV = b"u,i\na,x\na,y\nb,x\n"


TSV = CSV.replace(b",", b"\t")


COLUMNS = {"user": "u", "item": "i"}


LITTER = {
    ".DS_Store": b"\0",
    "d/.DS_Store": b"\0",
    "__MACOSX/d/._x.tsv": b"\0",
    "d/._x.tsv": b"\0",
    "Thumbs.db": b"\0",
    "d/desktop.ini": b"",
}


def parquet(compression: str = "none") -> bytes:
    file = io.BytesIO()
    users, items = zip(*ROWS, strict=True)
    pq.write_table(pa.table({"u": users, "i": items}), file, compression=compression)
    return file.getvalue()


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def zstd(content: bytes) -> bytes:
    return pa.compress(content, "zstd", asbytes=True)


def tarred(content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        entry = tarfile.TarInfo("x.csv")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def read(path: Path, reader: str = "table", **layout: Any) -> Prepared:
    settings = {"dataset": "toy", "reader": reader, "columns": COLUMNS, "format": layout}
    return prepare([path], settings)


def refusal(path: Path, *arguments: Any, **layout: Any) -> str:
    with pytest.raises(InputError) as caught:
        read(path, *arguments, **layout)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def told(value: Any) -> str:
    """What names a case: never its content, which may hold the time."""
    return value if isinstance(value, str) else "content"


def pairs(found: Prepared) -> list[tuple[str, str]]:
    users = found.user_ids.take(found.interactions.user).to_pylist()
    items = found.item_ids.take(found.interactions.item).to_pylist()
    return list(zip(users, items, strict=True))


def table(path, content, columns=None, name=None, **settings):
    path = path / (name or "data.csv")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    settings = {"dataset": "toy", "reader": "table", **settings}
    return prepare([path], {"columns": columns or {"user": "u", "item": "i"}, **settings})


def error(path, *args, **settings):
    with pytest.raises(InputError) as caught:
        table(path, *args, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def timed_pairs(prepared):
    """(user id, item id) of each interaction, with its time if it has one."""
    found = prepared.interactions
    columns = [
        prepared.user_ids.take(found.user).to_pylist(),
        prepared.item_ids.take(found.item).to_pylist(),
    ]
    return list(zip(*columns, *([] if found.time is None else [found.time]), strict=True))


def fed(path: Path, content: bytes) -> Path:
    """A named pipe that somebody writes ``content`` into, if anybody reads it."""

    def write() -> None:
        with suppress(BrokenPipeError):
            path.write_bytes(content)

    os.mkfifo(path)
    threading.Thread(target=write, daemon=True).start()
    return path
