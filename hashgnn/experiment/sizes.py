"""How large a data set is: as its file says, or, before there is one, its config."""

import functools
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from hashgnn.data.archive import Content, describe_data, open_data
from hashgnn.errors import InputError

_SAMPLE = 1 << 20  # bytes of a text, by which its rows are counted
_SHRINKS = 4  # what compression makes of such texts at best (tables of ids and times)


class Sizes(NamedTuple):
    """Users, items and interactions: of all parts, or of training where a split is looked at."""

    users: int
    items: int
    interactions: int

    @property
    def nodes(self) -> int:
        """Of the graph."""
        return self.users + self.items


def generated(dataset: Mapping[str, Any]) -> Sizes | None:
    """Of a data set that is generated: what its entry in the config asks for."""
    given = dataset.get("generator")
    return given and Sizes(given["users"], given["items"], given["interactions"])


def prepared(path: Path) -> Sizes:
    """Of ``interactions.npz`` or ``split.npz``, by their headers; 0 of what cannot be read.

    ``FileNotFoundError`` if it is not there: Snakemake then asks again once it is.
    """
    return _prepared(path, path.stat().st_mtime_ns)


@functools.cache
def _prepared(path: Path, changed: int) -> Sizes:  # once a file, for hundreds of jobs
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            rows = "user" if "user" in archive else "train_items"
            return Sizes(int(archive["n_users"]), int(archive["n_items"]), _length(path, rows))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return Sizes(0, 0, 0)  # the stage that reads it says what is wrong


def _length(path: Path, name: str) -> int:
    """Of one array of an archive, whose numbers stay unread."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        assert version == (1, 0)
        return np.lib.format.read_array_header_1_0(file)[0][0]


def raw_rows(path: Path, dataset: Mapping[str, Any]) -> int:
    """About how many interactions a raw file holds, by its length and its beginning.

    0 if it cannot be read: its reader says what is wrong.
    """
    layout = dataset.get("format", {})
    members = [member["name"] for member in layout.get("members", [])] or [layout.get("member")]
    return sum(_rows_of(path, member, dataset) for member in members)


def _rows_of(path: Path, member: str | None, dataset: Mapping[str, Any]) -> int:
    try:
        found = describe_data(path, member)
        if found.parquet:
            return pq.ParquetFile(path).metadata.num_rows if not found.wrapped else 0
        with open_data(path, member) as stream:
            sample = stream.read(_SAMPLE)
        rows = len(sample.split()) if dataset["reader"] == "adjacency" else sample.count(b"\n")
        return round(rows * _text_bytes(path, found) / max(1, len(sample)))
    except (InputError, OSError, ValueError):
        return 0


def _text_bytes(path: Path, content: Content) -> int:
    """Of the text in a file, about, where it is compressed."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        return sizes.get(content.name, max(sizes.values(), default=0))
    return path.stat().st_size * (_SHRINKS if content.wrapped else 1)
