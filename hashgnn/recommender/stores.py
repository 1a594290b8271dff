"""Write the items of a model for vector stores and databases, which then search by their codes.

Bit k of a code is bit k % 8 of byte k // 8. Hamming distances do not depend on the order of bits,
as long as items and queries agree. USearch, LanceDB and SQLite get the codes as they are. The bit
strings of DuckDB and PostgreSQL begin with bit 0. Stores whose bytes begin with the most
significant bit (Milvus, Vespa, Elasticsearch, OpenSearch) get reversed bytes.
"""

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hashgnn.errors import InputError, shown
from hashgnn.files import atomic_write
from hashgnn.recommender.export import write_ids
from hashgnn.recommender.id_rows import Ids
from hashgnn.recommender.trained_model import Model
from hashgnn.search import Representation

_AT_ONCE = 1 << 16  # rows that are converted to text at a time

_SQL_TYPES = {"int64": "bigint", "uint64": "numeric"}
# What COPY takes for something else in a text.
_COPY = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def write_usearch(folder: Path, model: Model) -> list[Path]:
    """Write ``items.usearch``, an index of binary codes by Hamming distance; keys are rows."""
    usearch, codes = _library("usearch.index", "usearch"), _codes(model, "usearch")
    index = usearch.Index(
        ndim=8 * codes.shape[1],
        metric=usearch.MetricKind.Hamming,
        dtype=usearch.ScalarKind.B1,
    )
    index.add(np.arange(len(codes)), np.ascontiguousarray(codes))
    path = folder / "items.usearch"
    with atomic_write(path) as temporary:
        index.save(str(temporary))
    return [*write_ids(folder, model), path]


def write_lancedb(folder: Path, model: Model) -> list[Path]:
    """Write the table ``items`` of a LanceDB in ``folder``: id, code (bytes) and vector."""
    lancedb, codes = _library("lancedb", "lancedb"), _codes(model, "lancedb")
    columns = {"id": pa.array(_id_list(model.item_ids)), "code": _lists(codes)}
    if model.items.vectors is not None:
        columns["vector"] = _lists(np.asarray(model.items.vectors))
    lancedb.connect(str(folder)).create_table("items", pa.table(columns))
    return [folder / "items.lance"]


def write_sqlite(folder: Path, model: Model) -> list[Path]:
    """Write ``items.sqlite``: the table items of id, code and vector (float32), both as blobs."""
    codes, vectors = _codes(model, "sqlite"), model.items.vectors
    path = folder / "items.sqlite"
    rows = (
        (id_, codes[row].tobytes(), None if vectors is None else vectors[row].tobytes())
        for row, id_ in enumerate(_id_list(model.item_ids))
    )
    with atomic_write(path) as temporary, closing(sqlite3.connect(temporary)) as database:
        database.execute("CREATE TABLE items (id PRIMARY KEY, code BLOB NOT NULL, vector BLOB)")
        database.executemany("INSERT INTO items VALUES (?, ?, ?)", rows)
        database.commit()
    return [path]


def write_duckdb(folder: Path, model: Model) -> list[Path]:
    """Write ``items.duckdb``: the table items of id, code (BIT, bit 0 first) and vector."""
    duckdb, codes = _library("duckdb", "duckdb"), _codes(model, "duckdb")
    columns = {
        "id": pa.array(_id_list(model.item_ids)),
        "code": pa.array(list(bit_strings(codes, model.bits)), pa.string()),
    }
    if model.items.vectors is not None:
        columns["vector"] = _lists(np.asarray(model.items.vectors))
    path = folder / "items.duckdb"
    with atomic_write(path) as temporary:
        temporary.unlink()  # an empty file is no database
        with closing(duckdb.connect(str(temporary))) as database:
            database.register("given", pa.table(columns))
            database.execute(
                "CREATE TABLE items AS SELECT * REPLACE (code::BIT AS code) FROM given"
            )
    return [path]


def write_postgresql(folder: Path, model: Model) -> list[Path]:
    """Write ``codes.sql``, which replaces the tables hashgnn_users and hashgnn_items in psql.

    Columns are id, code (bit string, bit 0 first) and vector (real[]).
    """
    _codes(model, "postgresql")
    path = folder / "codes.sql"
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("SET client_encoding = 'UTF8';\nBEGIN;\n")
        for side, ids, representation in _sides(model):
            kind = _SQL_TYPES.get(str(ids.at(np.arange(0)).dtype), "text")
            columns = f"id {kind} PRIMARY KEY, code bit({model.bits}) NOT NULL, vector real[]"
            file.write(f"DROP TABLE IF EXISTS hashgnn_{side};\n")
            file.write(f"CREATE TABLE hashgnn_{side} ({columns});\n")
            file.write(f"COPY hashgnn_{side} FROM stdin;\n")
            for start in range(0, len(ids), _AT_ONCE):
                rows = np.arange(start, min(start + _AT_ONCE, len(ids)))
                codes, vectors = representation.rows(rows)
                assert codes is not None
                names = map(_copied, ids.text[rows])
                texts = bit_strings(codes, model.bits), _real_arrays(vectors, len(rows))
                file.writelines("\t".join(row) + "\n" for row in zip(names, *texts, strict=True))
            file.write("\\.\n")
        file.write("COMMIT;\n")
    return [path]


def _copied(text: str) -> str:
    """Return an id as COPY reads it."""
    if "\0" in text:
        raise InputError(f"format postgresql: id {shown(text)}: text has no NUL character there")
    return text.translate(_COPY)


def _real_arrays(vectors: np.ndarray | None, count: int) -> Iterable[str]:
    """Return an array of PostgreSQL for each vector, or ``count`` times none."""
    if vectors is None:
        return itertools.repeat("\\N", count)
    numbers = pc.cast(pa.array(np.ravel(vectors)), pa.string())
    lists = pa.FixedSizeListArray.from_arrays(numbers, vectors.shape[1])
    joined = pc.binary_join(lists.cast(pa.list_(pa.string())), ",").to_pylist()
    return (f"{{{text}}}" for text in joined)


def write_bytes(folder: Path, model: Model) -> list[Path]:
    """Write ``{users,items}.bytes.jsonl``: id and code, its bytes with the first bit on top.

    The code is given as signed bytes and as hexadecimal digits.
    """
    _codes(model, "bytes")
    written = []
    for side, ids, (codes, _) in _sides(model):
        assert codes is not None
        written.append(folder / f"{side}.bytes.jsonl")
        reversed_ = most_significant_first(np.asarray(codes))
        with atomic_write(written[-1]) as temporary, temporary.open("w", encoding="utf-8") as file:
            for id_, code in zip(_id_list(ids), reversed_, strict=True):
                row = {"id": id_, "bytes": code.view(np.int8).tolist(), "hex": code.tobytes().hex()}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return written


def most_significant_first(codes: np.ndarray) -> np.ndarray:
    """Return codes uint8 [rows, bytes] with bit k in bit 7 - k % 8 of byte k // 8."""
    return np.packbits(np.unpackbits(codes, axis=1, bitorder="little"), axis=1, bitorder="big")


def bit_strings(codes: np.ndarray, bits: int) -> Iterator[str]:
    """Yield each code as ``bits`` digits, bit 0 first."""
    for start in range(0, len(codes), _AT_ONCE):
        block = np.unpackbits(codes[start : start + _AT_ONCE], 1, count=bits, bitorder="little")
        digits = block + np.uint8(ord("0"))
        yield from (row.tobytes().decode("ascii") for row in digits)


def _sides(model: Model) -> tuple[tuple[str, Ids, Representation], ...]:
    return ("users", model.user_ids, model.users), ("items", model.item_ids, model.items)


def _codes(model: Model, format_: str) -> np.ndarray:
    if model.items.codes is None or model.users.codes is None:
        raise InputError(f"format {format_}: this method has no codes; use numpy or parquet")
    return np.asarray(model.items.codes)


def _library(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(
            f"format {package}: {package} cannot be imported ({error}): pip install {package}"
        ) from error


def _id_list(ids: Ids) -> list[Any]:
    return ids.at(np.arange(len(ids))).tolist()


def _lists(rows: np.ndarray) -> pa.Array:
    """Return the rows of a matrix as lists of fixed size."""
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])
