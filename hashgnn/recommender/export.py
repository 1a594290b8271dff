"""Write the codes, vectors and ids of a model in the formats of other systems."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hashgnn.errors import InputError, needing
from hashgnn.files import atomic_write, save_array
from hashgnn.recommender.id_rows import Ids
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
