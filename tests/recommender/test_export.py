"""Stores that read an export give the distances that our search gives."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import duckdb
import lancedb
import numpy as np
import pandas as pd
import pytest
import sqlite_vec
from usearch.index import Index as UsearchIndex

from hashgnn import HashGNN
from hashgnn.recommender.export import bit_strings, most_significant_first
from tests.helpers import run_hashgnn as run

K, BITS = 12, 20  # the last byte of a code holds four bits

Found = list[tuple[str, int]]  # ids and distances


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[HashGNN, Path]:
    rng = np.random.default_rng(0)
    users = [f"u{n // 6}" for n in range(240)]
    items = [f"sku {n}" for _ in range(40) for n in rng.choice(70, 6, replace=False)]
    model = HashGNN(BITS, method="als", epochs=2).fit((users, items))
    folder = tmp_path_factory.mktemp("stores")
    model.save(folder / "model")
    formats = [f"--format={name}" for name in ("usearch", "lancedb", "sqlite", "duckdb", "bytes")]
    ran = run("export", folder / "model", "--output", folder / "out", *formats)
    assert ran.exit_code == 0, ran.output
    names = [Path(line).name for line in ran.stdout.splitlines()]
    assert names == [
        *("item_ids.npy", "items.usearch", "items.lance", "items.sqlite", "items.duckdb"),
        *("users.bytes.jsonl", "items.bytes.jsonl"),
    ]
    return model, folder / "out"


def by_usearch(folder: Path, code: np.ndarray) -> Found:
    index = UsearchIndex.restore(str(folder / "items.usearch"))
    ids = np.load(folder / "item_ids.npy")
    found = index.search(code, K, exact=True)
    return list(zip(ids[found.keys].tolist(), found.distances.astype(int).tolist(), strict=True))


def by_lancedb(folder: Path, code: np.ndarray) -> Found:
    table = lancedb.connect(str(folder)).open_table("items")
    query = table.search(code, vector_column_name="code").distance_type("hamming").limit(K)
    return [(row["id"], int(row["_distance"])) for row in query.to_list()]


def by_sqlite(folder: Path, code: np.ndarray) -> Found:
    database = apsw.Connection(str(folder / "items.sqlite"))
    database.enable_load_extension(True)
    database.load_extension(sqlite_vec.loadable_path())
    distance = "vec_distance_hamming(vec_bit(code), vec_bit(?))"
    query = f"SELECT id, CAST({distance} AS INTEGER) AS d FROM items ORDER BY d LIMIT ?"
    return list(database.execute(query, (code.tobytes(), K)))


def by_duckdb(folder: Path, code: np.ndarray) -> Found:
    (text,) = bit_strings(code[None], BITS)
    query = "SELECT id, bit_count(xor(code, ?::BIT)) AS d FROM items ORDER BY d LIMIT ?"
    with duckdb.connect(str(folder / "items.duckdb"), read_only=True) as database:
        return database.execute(query, [text, K]).fetchall()


@pytest.mark.parametrize("search", [by_usearch, by_lancedb, by_sqlite, by_duckdb])
def test_a_store_finds_what_our_search_finds(
    exported: tuple[HashGNN, Path], search: Callable[[Path, np.ndarray], Found]
) -> None:
    model, folder = exported[0].model_, exported[1]
    codes = np.asarray(model.users.codes)
    every = model.index.hamming(codes, len(model.item_ids))
    for user in range(0, 40, 7):
        found = search(folder, codes[user])
        distances = dict(
            zip(model.item_ids.at(every[0][user]), every[1][user].tolist(), strict=True)
        )
        assert [distance for _, distance in found] == every[1][user, :K].tolist()
        assert all(distances[id_] == distance for id_, distance in found)
        assert len({id_ for id_, _ in found}) == K


def test_vectors_come_along(exported: tuple[HashGNN, Path]) -> None:
    model, folder = exported[0].model_, exported[1]
    ids, vectors = model.item_ids.text.tolist(), np.asarray(model.items.vectors)
    table = lancedb.connect(str(folder)).open_table("items").to_arrow()
    assert table["id"].to_pylist() == ids
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), np.float32), vectors)
    with duckdb.connect(str(folder / "items.duckdb"), read_only=True) as database:
        rows = database.execute("SELECT id, vector FROM items").fetchall()
    np.testing.assert_array_equal(np.array([dict(rows)[id_] for id_ in ids], np.float32), vectors)
    database = apsw.Connection(str(folder / "items.sqlite"))
    blobs = dict(database.execute("SELECT id, vector FROM items"))
    found = np.stack([np.frombuffer(blobs[id_], np.float32) for id_ in ids])
    np.testing.assert_array_equal(found, vectors)


def test_the_order_of_bits_by_hand() -> None:
    code = np.array([[0b0000_0001, 0b0011_0000]], dtype=np.uint8)  # bits 0, 12 and 13
    assert list(bit_strings(code, 14)) == ["10000000000011"]
    assert most_significant_first(code).tolist() == [[0b1000_0000, 0b0000_1100]]


def test_bytes_are_those_of_the_codes(exported: tuple[HashGNN, Path]) -> None:
    model, folder = exported[0].model_, exported[1]
    for side, ids, codes in (
        ("users", model.user_ids, model.users.codes),
        ("items", model.item_ids, model.items.codes),
    ):
        text = (folder / f"{side}.bytes.jsonl").read_text(encoding="utf-8")
        rows = pd.DataFrame(map(json.loads, text.splitlines()))
        expected = np.unpackbits(np.asarray(codes), axis=1, bitorder="little")
        signed = np.array(rows.bytes.tolist(), dtype=np.int8).view(np.uint8)
        in_hex = np.array([list(bytes.fromhex(digits)) for digits in rows.hex], dtype=np.uint8)
        assert rows.id.tolist() == ids.text.tolist()
        for found in (signed, in_hex):
            np.testing.assert_array_equal(np.unpackbits(found, axis=1, bitorder="big"), expected)


def test_another_model_replaces_the_whole_table(
    exported: tuple[HashGNN, Path], tmp_path: Path
) -> None:
    export: list[Any] = ["--output", tmp_path / "out", "--format", "lancedb"]
    other = HashGNN(BITS, method="als", epochs=1, seed=1)
    other.fit(([f"u{n % 9}" for n in range(90)], [f"i{n % 11}" for n in range(90)]))
    other.save(tmp_path / "other")
    for model in (exported[1].parent / "model", tmp_path / "other", tmp_path / "other"):
        assert run("export", model, *export).exit_code == 0
    table = lancedb.connect(str(tmp_path / "out")).open_table("items")
    assert sorted(table.to_arrow()["id"].to_pylist()) == sorted(f"i{n}" for n in range(11))
    assert len(list((tmp_path / "out/items.lance/data").iterdir())) == 1
