"""Ten thousand data files and configs: each gives a right result or one clear error."""

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hashgnn.config.methods import parameters
from hashgnn.config.model import resolve
from hashgnn.errors import InputError
from hashgnn.experiment.runs import derived_models, runs
from tests.data.reading import accepted, check_read
from tests.data.test_prepare import (
    PACKS,
    SPLITS,
    damaged,
    naive,
    tables,
    try_bytes,
    try_packed,
    try_table,
)
from tests.data.test_readers import COLUMNS, LAYOUT, NAMES, ROLES, TEXT
from tests.data.written_tables import Read, Table, core
from tests.e2e.faults.tally import Tally

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[3]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())


def many(count: int) -> Any:
    """``count`` examples, the same ones each time."""
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@many(2500)
@given(tables(), SPLITS)
def test_good_tables(folder: Path, tally: Tally, table: Table, division: dict[str, Any]) -> None:
    with tally.input("good tables, read and split"):
        try_table(folder, table, division)


@many(1000)
@given(tables(), st.sampled_from(list(PACKS)), st.booleans(), st.booleans())
def test_packed_tables(
    folder: Path, tally: Tally, table: Table, name: str, told: bool, piped: bool
) -> None:
    with tally.input("good tables, compressed, in archives, from pipes"):
        try_packed(folder, table, name, told, piped)


@many(3000)
@given(damaged())
def test_damaged_tables(folder: Path, tally: Tally, case: tuple[bytes, dict[str, Any]]) -> None:
    with tally.input("damaged tables"):
        try_bytes(folder, *case)


@many(1000)
@given(TEXT, LAYOUT, ROLES)
def test_text(folder: Path, tally: Tally, text: str, layout: Any, columns: Any) -> None:
    path = folder / "x.csv"
    path.write_text(text)
    with tally.input("text of odd cells"):
        accepted(path, {"dataset": "x", "reader": "table", "columns": columns, "format": layout})


@many(1000)
@given(st.sampled_from([*NAMES, "x.txt"]), st.binary())
def test_bytes(folder: Path, tally: Tally, name: str, content: bytes) -> None:
    path = folder / name
    path.write_bytes(content)
    reader = "adjacency" if name == "x.txt" else "table"
    layout = {"format": {"header": False}} if reader == "table" else {}
    with tally.input("bytes of any kind, by suffix"):
        accepted(path, {"dataset": "x", "reader": reader, "columns": COLUMNS, **layout})


LISTS = st.lists(st.lists(st.sampled_from(["1", "-7", "01", "é", "商店", "9" * 25]), max_size=6))


@many(500)
@given(LISTS, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 2))
def test_adjacency(
    folder: Path, tally: Tally, lists: list[list[str]], newline: str, mark: bool, least: int
) -> None:
    path, kept = folder / "x.txt", {"user_interactions": least}
    text = ("\ufeff" if mark else "") + "".join(" ".join(ids) + newline for ids in lists)
    path.write_bytes(text.encode())
    pairs = {(ids[0], item): None for ids in lists if ids for item in ids[1:]}
    rows = sum(len(ids) - 1 for ids in lists if ids)
    expected = Read(core(pairs, kept), rows)
    with tally.input("adjacency lists"):
        found = accepted(path, {"dataset": "x", "reader": "adjacency", "filter": kept})
        assert (found is None) == (not expected.pairs)
        if found is not None:
            check_read(found, expected, folder)


def places(block: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in the config."""
    keys = (
        block if isinstance(block, dict) else range(len(block)) if isinstance(block, list) else ()
    )
    found = [above] * bool(above)
    for key in keys:
        found += places(block[key], (*above, key))
    return found


WRONG = st.sampled_from(
    [
        *(None, True, -1, 0, 1, 0.5, math.inf, math.nan, 10**30, "", "x", "a b", "../x", "$(x)"),
        *("a;b", "ü", "a\n", "2017-11-25", [], [1], ["x"], {}, {"x": 1}, [None], [[1]]),
        {"a": {"b": []}},
    ]
)


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """The paper's config with one to three things replaced, removed or added."""
    config = copy.deepcopy(CONFIG)
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from(places(config)))
        block = config
        for key in parents:
            block = block[key]
        kind = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if kind == "replace":
            block[last] = draw(WRONG.map(copy.deepcopy))
        elif kind == "remove":
            del block[last]
        elif isinstance(block, dict):
            block[draw(st.sampled_from(["x", "../x", "a\n", "a b", "files", "scale"]))] = draw(
                WRONG.map(copy.deepcopy)
            )
    return config


@many(2000)
@given(configs())
def test_configs(tally: Tally, config: dict[str, Any]) -> None:
    with tally.input("configs"):
        try:
            plan(resolve(config))
        except InputError as error:
            for line in str(error).splitlines():  # one for each mistake
                assert line.strip()


def plan(config: dict[str, Any]) -> None:
    """What Snakemake takes from a config: each training has a name of its own and settings."""
    config["models"] |= derived_models(config)
    for grid in config["grids"].values():
        for run in runs(config, grid):
            assert set(f"{run.dataset}/{run.model}").isdisjoint(" ;$`'\"\n|&<>*")
            assert ".." not in f"{run.dataset}/{run.model}".split("/")
            json.dumps(parameters(config, run.dataset, run.model))


def test_the_oracle_is_not_ours() -> None:
    """A reader that lost rows, or took another separator, would be seen."""
    table = Table([["a", "b", "1", "0"], ["a", "c", "1", "0"]], SETTINGS)
    assert naive(table.bytes(), SETTINGS) == Read({("a", "b"): None, ("a", "c"): None}, 2)


SETTINGS = {
    "dataset": "x",
    "reader": "table",
    "columns": {"user": 0, "item": 1},
    "format": {"separator": ",", "quote": True, "header": False},
}
