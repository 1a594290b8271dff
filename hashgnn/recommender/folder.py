"""Result folders: those of the workflow and those of ``HashGNN.save`` and ``hashgnn train``.

Both hold codes, vectors, ``history.csv`` and ``train.provenance.json``, which has the checksums of
the others. The ids and interactions lie beside them, or, in the workflow's
``results/DATASET/MODEL/bitsK/seedS``, in ``results/DATASET``.
The index is saved, to be mapped into memory, by the former; for the latter it is built.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from hashgnn.data.ids import load_ids, save_ids
from hashgnn.data.interactions import load_interactions, save_interactions
from hashgnn.errors import InputError, shown
from hashgnn.evaluation.representation import Representation
from hashgnn.files import atomic_write, load_array, save_array
from hashgnn.folders import read_together, replace_together
from hashgnn.recommender.adapter import Ids
from hashgnn.recommender.consistency import check_model
from hashgnn.recommender.model import Model
from hashgnn.search import Index
from hashgnn.search.storage import DESCRIPTION, FILES
from hashgnn.stage.inputs import Inputs, check_output, describe_outputs, read_record
from hashgnn.stage.record import write_record

RECORD = "train.provenance.json"
_INDEX = "index"
_ARRAYS = ("user_codes", "item_codes", "user_vectors", "item_vectors")
_DATA = ("users.csv", "items.csv", "interactions.npz")
_INDEX_FILES = [f"{_INDEX}/{name}" for name in FILES]
# An index has checksums of its own for its arrays.
_FILES = (*(f"{name}.npy" for name in _ARRAYS), *_DATA, "history.csv", f"{_INDEX}/{DESCRIPTION}")
_SETTINGS = {"method": str, "bits": int, "seed": int, "parameters": dict}


def save_model(folder: Path, model: Model, history: pd.DataFrame) -> None:
    """Write ``model`` as a folder, in place of one that is there: all of it, or nothing."""
    arrays = (model.users.codes, model.items.codes, model.users.vectors, model.items.vectors)
    with replace_together(folder, [*_FILES, *_INDEX_FILES, RECORD]) as staged:
        for name, array in zip(_ARRAYS, arrays, strict=True):
            if array is not None:
                save_array(staged / f"{name}.npy", array)
        save_ids(staged / "users.csv", pa.array(model.user_ids.text, pa.string()))
        save_ids(staged / "items.csv", pa.array(model.item_ids.text, pa.string()))
        save_interactions(staged / "interactions.npz", model.interactions)
        with atomic_write(staged / "history.csv") as temporary:
            history.to_csv(temporary, index=False)
        model.index.save(staged / _INDEX)
        outputs = describe_outputs(staged / RECORD, [staged / name for name in _FILES])
        write_record(staged / RECORD, {**model.record, "outputs": outputs})


def load_model(folder: Path, verify: bool = True) -> Model:
    """Read a result folder; ``InputError`` names what is not there or was altered.

    Arrays are memory-mapped. ``verify`` reads all files once, to compare checksums.
    """
    try:
        with read_together(folder):
            return _load(folder, verify)
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error})") from error


def has_model(folder: Path) -> bool:
    """Whether a model was saved in ``folder``, which may be missing."""
    if not folder.is_dir():
        return False
    with read_together(folder):
        return (folder / RECORD).exists()


def load_record(folder: Path) -> dict[str, Any]:
    """How the model in ``folder`` came to be."""
    path = folder / RECORD
    if not path.exists():
        raise InputError(
            f"{folder}: no result folder, {RECORD} is missing; expected "
            "results/DATASET/MODEL/bitsK/seedS, or what hashgnn train or HashGNN.save made"
        )
    record = read_record(path)
    settings = record.get("settings", {})
    for key, kind in _SETTINGS.items():
        value = settings.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise InputError(
                f"{path}: settings.{key}: expected {kind.__name__}, found {shown(value)}; train "
                "or save the model again"
            )
    return record


def data_folder(folder: Path) -> Path:
    """Where the ids and interactions of a result folder lie."""
    above = folder.resolve().parents
    for data in (folder, *above[2:3]):
        if (data / "items.csv").is_file():
            return data
    raise InputError(
        f"{folder}: neither it nor {above[min(2, len(above) - 1)]} has users.csv and items.csv"
    )


def _load(folder: Path, verify: bool) -> Model:
    record = load_record(folder)
    data = data_folder(folder)
    outputs = record.get("outputs", {})
    if verify:
        for name in (name for name in _FILES if name in outputs):
            check_output(folder / name, outputs[name], folder / RECORD)
        if data != folder:
            Inputs([data / name for name in _DATA], None)
    users, items = (
        Representation(
            *(_array(folder, f"{side}_{kind}.npy", outputs) for kind in ("codes", "vectors"))
        )
        for side in ("user", "item")
    )
    saved = (folder / _INDEX).is_dir()
    model = Model(
        _ids(data / "users.csv", "user", record),
        _ids(data / "items.csv", "item", record),
        users,
        items,
        Index.load(folder / _INDEX, verify=verify) if saved else Index(*items),
        load_interactions(data / "interactions.npz"),
        record,
    )
    check_model(folder, model, finite=verify)
    return model


def _array(folder: Path, name: str, outputs: Collection[str]) -> np.ndarray | None:
    """An array that was saved; older records do not tell of which there are."""
    path = folder / name
    there = name in outputs if outputs else path.exists()
    return load_array(path, memory_map=True) if there else None


def _ids(path: Path, side: str, record: Mapping[str, Any]) -> Ids:
    texts = load_ids(path)
    integer = bool(record.get("integer_ids", {}).get(side))
    if integer and not _are_integers(pa.array(texts, pa.string())):
        raise InputError(f"{path}: expected integers, as the record of the model says")
    return Ids(pd.Index(texts, dtype="str"), integer)


def _are_integers(ids: pa.Array) -> bool:
    for kind in (pa.int64(), pa.uint64()):
        with suppress(pa.ArrowInvalid):
            ids.cast(kind)
            return True
    return False
