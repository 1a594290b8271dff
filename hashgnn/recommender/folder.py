"""Result folders: those of the workflow and those of ``HashGNN.save`` and ``hashgnn train``.

Both hold codes, vectors, ``history.csv`` and ``train.provenance.json``. The ids and interactions
lie beside them, or, in the workflow's ``results/DATASET/MODEL/bitsK/seedS``, in
``results/DATASET``.
The index is saved, to be mapped into memory, by the former; for the latter it is built.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from hashgnn.data.ids import load_ids, save_ids
from hashgnn.data.interactions import load_interactions, save_interactions
from hashgnn.errors import InputError
from hashgnn.files import atomic_write, load_array, save_array
from hashgnn.metrics.encoded import Encoded
from hashgnn.provenance.record import write_record
from hashgnn.recommender.ids import Ids
from hashgnn.recommender.model import Model
from hashgnn.search import Index

RECORD = "train.provenance.json"
_INDEX = "index"
_ARRAYS = ("user_codes", "item_codes", "user_vectors", "item_vectors")


def save_model(folder: Path, model: Model, history: pd.DataFrame) -> None:
    """Write ``model`` as a folder; its record comes last, so that half a model is none."""
    (folder / RECORD).unlink(missing_ok=True)
    for name, array in zip(_ARRAYS, _arrays_of(model), strict=True):
        (folder / f"{name}.npy").unlink(missing_ok=True)
        if array is not None:
            save_array(folder / f"{name}.npy", array)
    save_ids(folder / "users.csv", pa.array(model.user_ids.text, pa.string()))
    save_ids(folder / "items.csv", pa.array(model.item_ids.text, pa.string()))
    save_interactions(folder / "interactions.npz", model.interactions)
    with atomic_write(folder / "history.csv") as temporary:
        history.to_csv(temporary, index=False)
    model.index.save(folder / _INDEX)
    write_record(folder / RECORD, model.record)


def load_model(folder: Path) -> Model:
    """Read a result folder; ``InputError`` names what is not there. Arrays are memory-mapped."""
    record = load_record(folder)
    data = data_folder(folder)
    users, items = (
        Encoded(*(_array(folder / f"{side}_{kind}.npy") for kind in ("codes", "vectors")))
        for side in ("user", "item")
    )
    saved = (folder / _INDEX).is_dir()
    return Model(
        _ids(data / "users.csv", "user", record),
        _ids(data / "items.csv", "item", record),
        users,
        items,
        Index.load(folder / _INDEX) if saved else Index(*items),
        load_interactions(data / "interactions.npz"),
        record,
    )


def load_record(folder: Path) -> dict[str, Any]:
    """How the model in ``folder`` came to be."""
    try:
        return json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder}: no result folder, {RECORD} cannot be read ({error}); expected "
            "results/DATASET/MODEL/bitsK/seedS, or what hashgnn train or HashGNN.save made"
        ) from error


def data_folder(folder: Path) -> Path:
    """Where the ids and interactions of a result folder lie."""
    above = folder.resolve().parents
    for data in (folder, *above[2:3]):
        if (data / "items.csv").is_file():
            return data
    raise InputError(
        f"{folder}: neither it nor {above[min(2, len(above) - 1)]} has users.csv and items.csv"
    )


def _arrays_of(model: Model) -> tuple[np.ndarray | None, ...]:
    return (model.users.codes, model.items.codes, model.users.vectors, model.items.vectors)


def _array(path: Path) -> np.ndarray | None:
    return load_array(path, memory_map=True) if path.exists() else None


def _ids(path: Path, side: str, record: Mapping[str, Any]) -> Ids:
    kinds = record.get("integer_ids", {})
    try:
        texts = load_ids(path)
    except (OSError, ValueError, StopIteration) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    return Ids(pd.Index(texts, dtype="str"), bool(kinds.get(side)))
