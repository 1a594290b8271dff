"""Write the codes, vectors and ids of a model in the formats of other systems.

Bit k of a code is bit k % 8 of byte k // 8. Hamming distances do not depend on the order of bits,
as long as items and queries agree. USearch, LanceDB and SQLite get the codes as they are. The bit
strings of DuckDB and PostgreSQL begin with bit 0. Stores whose bytes begin with the most
significant bit (Milvus, Vespa, Elasticsearch, OpenSearch) get reversed bytes.
"""

import hashlib
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
import pyarrow.parquet as pq

from hashgnn.errors import InputError, needing, shown
from hashgnn.files import atomic_write, save_array
from hashgnn.recommender.queries import Ids
from hashgnn.recommender.trained_model import Model
from hashgnn.search import Representation
from hashgnn.search.storage import FILES as INDEX_FILES

RECORD = "export.json"  # identifies the model of the files

# All files that a format may write.
FILES = {
    "numpy": [
        f"{side}_{kind}.npy" for side in ("user", "item") for kind in ("ids", "codes", "vectors")
    ],
    "parquet": ["users.parquet", "items.parquet"],
    "faiss": ["item_ids.npy", "items.faiss"],
    "index": ["item_ids.npy", *(f"index/{name}" for name in INDEX_FILES)],
    "usearch": ["item_ids.npy", "items.usearch"],
    "lancedb": [],  # all of items.lance
    "sqlite": ["items.sqlite"],
    "duckdb": ["items.duckdb"],
    "postgresql": ["codes.sql"],
    "bytes": ["users.bytes.jsonl", "items.bytes.jsonl"],
}
_LANCE = "items.lance"


def replaced_files(folder: Path, model: Model, formats: Iterable[str]) -> list[str]:
    """Return the files of ``folder`` that an export in ``formats`` replaces or removes.

    Files of other formats stay only if they belong to the same model: the ids of one model with the
    index of another would give wrong answers without an error.
    """
    try:
        same = json.loads((folder / RECORD).read_text(encoding="utf-8")) == _identity(model)
    except (OSError, ValueError):
        same = False
    kinds = formats if same else FILES
    replaced = [RECORD, *(file for kind in kinds for file in FILES[kind])]
    if "lancedb" in kinds:
        inside = (path for path in (folder / _LANCE).rglob("*") if path.is_file())
        replaced += [str(path.relative_to(folder)) for path in inside]
    return replaced


def write_record(folder: Path, model: Model) -> None:
    """Write ``export.json``, which identifies the model of the files in ``folder``."""
    text = json.dumps(_identity(model), indent=2) + "\n"
    (folder / RECORD).write_text(text, encoding="utf-8")


def _identity(model: Model) -> dict[str, str]:
    text = json.dumps(model.record, sort_keys=True, default=str)
    return {"model": hashlib.sha256(text.encode()).hexdigest()}


def write_numpy(folder: Path, model: Model) -> list[Path]:
    """Write ``{user,item}_{ids,codes,vectors}.npy``; return the paths."""
    written = []
    for side, ids, (codes, vectors) in _sides(model):
        arrays = {
            "ids": _id_array(ids),
            "codes": codes,
            "vectors": vectors,
        }
        for kind, array in arrays.items():
            if array is not None:
                written.append(folder / f"{side}_{kind}.npy")
                save_array(written[-1], array)
    return written


def write_parquet(folder: Path, model: Model) -> list[Path]:
    """Write ``users.parquet`` and ``items.parquet`` with the columns id, code and vector."""
    written = []
    for side, ids, (codes, vectors) in _sides(model):
        columns = {"id": pa.array(_id_array(ids))}
        if codes is not None:
            columns["code"] = _binary(codes)
        if vectors is not None:
            flat = pa.array(np.asarray(vectors).reshape(-1))
            columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
        written.append(folder / f"{side}s.parquet")
        with atomic_write(written[-1]) as temporary, temporary.open("wb") as file:
            pq.write_table(pa.table(columns), file)
    return written


def write_faiss(folder: Path, model: Model) -> list[Path]:
    """Write ``items.faiss``, an IndexBinaryFlat over the codes, and ``item_ids.npy``."""
    with needing("faiss"):
        import faiss

    codes = model.items.codes
    if codes is None:
        raise InputError("this method has no codes to put into a FAISS binary index")
    index = faiss.IndexBinaryFlat(8 * codes.shape[1])
    index.add(np.ascontiguousarray(codes))
    written = folder / "items.faiss"
    with atomic_write(written) as temporary:
        faiss.write_index_binary(index, str(temporary))
    return [*write_ids(folder, model), written]


def write_index(folder: Path, model: Model) -> list[Path]:
    """Write ``index``, a folder that ``Index.load`` maps into memory, and ``item_ids.npy``."""
    written = folder / "index"
    model.index.save(written)
    return [*write_ids(folder, model), written]


def write_ids(folder: Path, model: Model) -> list[Path]:
    """Write ``item_ids.npy``, the ids of the rows of an index."""
    path = folder / "item_ids.npy"
    save_array(path, _id_array(model.item_ids))
    return [path]


def _sides(model: Model) -> Iterator[tuple[str, Ids, Representation]]:
    yield "user", model.user_ids, model.users
    yield "item", model.item_ids, model.items


def _id_array(ids: Ids) -> np.ndarray:
    """Return ids as integers, or as text of fixed width, which needs no pickle."""
    values = ids.at(np.arange(len(ids)))
    return values.to_numpy() if ids.integer else np.array(values.tolist(), dtype=np.str_)


def _binary(codes: np.ndarray) -> pa.Array:
    kind = pa.binary(codes.shape[1])
    buffer = pa.py_buffer(np.ascontiguousarray(codes).tobytes())
    return pa.Array.from_buffers(kind, len(codes), [None, buffer])


# Vector stores and databases, which search by the codes of items.

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
            file.write(f"DROP TABLE IF EXISTS hashgnn_{side}s;\n")
            file.write(f"CREATE TABLE hashgnn_{side}s ({columns});\n")
            file.write(f"COPY hashgnn_{side}s FROM stdin;\n")
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
        written.append(folder / f"{side}s.bytes.jsonl")
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
