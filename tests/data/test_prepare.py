"""From tables to interactions: a few of the inputs that `make test-faults` tries by thousands."""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashgnn.cli.streams import spooled
from hashgnn.data.interactions import load_interactions
from hashgnn.data.prepare import main
from tests.data.files import LITTER, fed, zipped
from tests.data.reading import accepted, check_read, check_split
from tests.data.written_tables import RefusedError, Table, naive, tables


def test_command_line(tmp_path, capsys):
    raw = tmp_path / "raw.csv"
    raw.write_text("u,i\na,x\na,y\nb,x\n")
    settings = {"dataset": "toy", "reader": "table", "columns": {"user": "u", "item": "i"}}
    names = {
        name: tmp_path / "out" / name for name in ("x.npz", "users.csv", "items.csv", "p.json")
    }
    options = dict(
        zip(("--output", "--users", "--items", "--provenance"), names.values(), strict=True)
    )
    argv = ["--inputs", str(raw), *(f"{key}={path}" for key, path in options.items())]
    assert main([*argv, "--settings", json.dumps(settings)]) == 0
    assert names["users.csv"].read_text() == '"index","id"\n0,"a"\n1,"b"\n'
    assert json.loads(names["p.json"].read_text())["interactions"] == 3
    found = load_interactions(names["x.npz"])
    assert (found.user.dtype, found.user.tolist(), found.item.tolist()) == (
        np.int32,
        [0, 0, 1],
        [0, 1, 0],
    )
    raw.write_text("")
    assert main([*argv, "--settings", json.dumps(settings)]) == 2
    assert capsys.readouterr().err == f"error: {raw}: empty file\n"


SPLITS = st.fixed_dictionaries(
    {
        "by": st.sampled_from(["random", "time"]),
        "test": st.sampled_from([0, 0.2, 0.3, 0.5, 0.99]),
        "validation": st.sampled_from([0, 0.1, 0.5]),
        "seed": st.integers(0, 3),
    }
)


Pack = Callable[[bytes], bytes]


PACKS: dict[str, Pack] = {
    "x": bytes,
    "x.CSV": bytes,
    "x.csv.gz": gzip.compress,
    "x.GZIP": gzip.compress,
    "x.bz2": bz2.compress,
    "x.XZ": lzma.compress,
    "x.zstd": lambda content: pa.compress(content, "zstd", asbytes=True),
    "x.zip": lambda content: zipped(**{**LITTER, "d/x.csv": content}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def try_table(folder: Path, table: Table, division: dict[str, Any]) -> None:
    """A good table is read as the plain reader reads it, and split."""
    path = folder / "x.csv"
    path.write_bytes(table.bytes())
    expected, found = naive(table.bytes(), table.settings), accepted(path, table.settings)
    assert (found is None) == (not expected.pairs)
    if found is None:
        return
    check_read(found, expected, folder)
    by = division["by"] if "time" in table.settings["columns"] else "random"
    check_split(found.interactions, {**division, "by": by}, folder)


def try_packed(folder: Path, table: Table, name: str, told: bool, piped: bool) -> None:
    """A good table is read as well from what it is packed in, and from a pipe."""
    path = folder / (name if told else "told by its content")
    content = PACKS[name](table.bytes())
    if piped:
        fed(path, content)
    else:
        path.write_bytes(content)
    expected = naive(table.bytes(), table.settings)
    try:
        with spooled([path]) as files:
            found = accepted(files[path], table.settings)
    finally:
        path.unlink()
    assert (found is None) == (not expected.pairs)
    if found is not None:
        check_read(found, expected, folder)


def try_bytes(folder: Path, content: bytes, settings: dict[str, Any]) -> None:
    """Whatever is accepted is what the plain reader reads."""
    path = folder / "x.csv"
    path.write_bytes(content)
    found = accepted(path, settings)
    if found is not None:
        check_read(found, naive_or_fail(content, settings), folder)


def naive_or_fail(content: bytes, settings: dict[str, Any]) -> Any:
    try:
        return naive(content, settings)
    except RefusedError as error:
        raise AssertionError(f"accepted, though no such table: {content!r}") from error


@st.composite
def damaged(draw: st.DrawFn) -> tuple[bytes, dict[str, Any]]:
    """A table with a bad cell, cut off, or with bytes put in."""
    table = draw(tables(clean=draw(st.booleans())))
    content = table.bytes()
    if draw(st.booleans()):
        content = content[: draw(st.integers(0, len(content)))]
    for _ in range(draw(st.integers(0, 2))):
        place, more = draw(st.integers(0, len(content))), draw(st.binary(max_size=3))
        content = content[:place] + more + content[place + draw(st.integers(0, 2)) :]
    return content, table.settings


@settings(max_examples=40, deadline=None)
@given(tables(), SPLITS)
def test_good_tables(folder: Path, table: Table, division: dict[str, Any]) -> None:
    try_table(folder, table, division)


@settings(max_examples=40, deadline=None)
@given(tables(), st.sampled_from(list(PACKS)), st.booleans(), st.booleans())
def test_packed_tables(folder: Path, table: Table, name: str, told: bool, piped: bool) -> None:
    try_packed(folder, table, name, told, piped)


@settings(max_examples=40, deadline=None)
@given(damaged())
def test_damaged_tables(folder: Path, case: tuple[bytes, dict[str, Any]]) -> None:
    try_bytes(folder, *case)
