"""A model's codes, vectors and ids in the formats of other systems."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hashgnn.errors import InputError
from hashgnn.evaluation.representation import Representation
from hashgnn.files import atomic_write, save_array
from hashgnn.recommender.adapter import Ids
from hashgnn.recommender.model import Model
from hashgnn.search.storage import FILES as INDEX_FILES

RECORD = "export.json"  # of which model the files are

# All that a format may write.
FILES = {
    "numpy": [
        f"{side}_{kind}.npy" for side in ("user", "item") for kind in ("ids", "codes", "vectors")
    ],
    "parquet": ["users.parquet", "items.parquet"],
    "faiss": ["item_ids.npy", "items.faiss"],
    "index": ["item_ids.npy", *(f"index/{name}" for name in INDEX_FILES)],
}


def replaced_files(folder: Path, model: Model, formats: Iterable[str]) -> list[str]:
    """Files of ``folder`` that an export in ``formats`` replaces or removes.

    Those of other formats stay only if they are of the same model: ids of one model beside the
    index of another would answer, and wrongly.
    """
    try:
        same = json.loads((folder / RECORD).read_text(encoding="utf-8")) == _identity(model)
    except (OSError, ValueError):
        same = False
    kinds = formats if same else FILES
    return [RECORD, *(file for kind in kinds for file in FILES[kind])]


def write_record(folder: Path, model: Model) -> None:
    """Say of which model the files in ``folder`` are."""
    text = json.dumps(_identity(model), indent=2) + "\n"
    (folder / RECORD).write_text(text, encoding="utf-8")


def _identity(model: Model) -> dict[str, str]:
    text = json.dumps(model.record, sort_keys=True, default=str)
    return {"model": hashlib.sha256(text.encode()).hexdigest()}


def write_numpy(folder: Path, model: Model) -> list[Path]:
    """``{user,item}_{ids,codes,vectors}.npy``; returns what was written."""
    written = []
    for side, ids, encoded in _sides(model):
        arrays = {"ids": _id_array(ids), "codes": encoded.codes, "vectors": encoded.vectors}
        for kind, array in arrays.items():
            if array is not None:
                written.append(folder / f"{side}_{kind}.npy")
                save_array(written[-1], array)
    return written


def write_parquet(folder: Path, model: Model) -> list[Path]:
    """``users.parquet`` and ``items.parquet`` with the columns id, code and vector."""
    written = []
    for side, ids, encoded in _sides(model):
        columns = {"id": pa.array(_id_array(ids))}
        if encoded.codes is not None:
            columns["code"] = _binary(encoded.codes)
        if encoded.vectors is not None:
            flat = pa.array(np.asarray(encoded.vectors).reshape(-1))
            columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, encoded.vectors.shape[1])
        written.append(folder / f"{side}s.parquet")
        with atomic_write(written[-1]) as temporary, temporary.open("wb") as file:
            pq.write_table(pa.table(columns), file)
    return written


def write_faiss(folder: Path, model: Model) -> list[Path]:
    """``items.faiss``, an IndexBinaryFlat over the codes, and ``item_ids.npy`` for its ids."""
    try:
        import faiss
    except ModuleNotFoundError as error:
        raise InputError("FAISS is not installed: pip install 'hashgnn[faiss]'") from error
    codes = model.items.codes
    if codes is None:
        raise InputError("this method has no codes to put into a FAISS binary index")
    index = faiss.IndexBinaryFlat(8 * codes.shape[1])
    index.add(np.ascontiguousarray(codes))
    ids, written = folder / "item_ids.npy", folder / "items.faiss"
    save_array(ids, _id_array(model.item_ids))
    with atomic_write(written) as temporary:
        faiss.write_index_binary(index, str(temporary))
    return [ids, written]


def write_index(folder: Path, model: Model) -> list[Path]:
    """``index``, a folder that ``Index.load`` maps into memory, and ``item_ids.npy``."""
    ids, written = folder / "item_ids.npy", folder / "index"
    save_array(ids, _id_array(model.item_ids))
    model.index.save(written)
    return [ids, written]


def _sides(model: Model) -> Iterator[tuple[str, Ids, Representation]]:
    yield "user", model.user_ids, model.users
    yield "item", model.item_ids, model.items


def _id_array(ids: Ids) -> np.ndarray:
    """int64, or text of a fixed width, which needs no pickle."""
    values = ids.at(np.arange(len(ids)))
    return values.to_numpy() if ids.integer else np.array(values.tolist(), dtype=np.str_)


def _binary(codes: np.ndarray) -> pa.Array:
    kind = pa.binary(codes.shape[1])
    buffer = pa.py_buffer(np.ascontiguousarray(codes).tobytes())
    return pa.Array.from_buffers(kind, len(codes), [None, buffer])
