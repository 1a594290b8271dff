"""Save models as folders, and load them and the result folders of the workflow, once or often.

Both kinds of folder hold codes, vectors, ``history.csv`` and ``train.provenance.json``, which has
the checksums of the others. A saved model also holds ids, interactions and an index, which is
mapped into memory. For a result folder of the workflow, ``results/DATASET/MODEL/bitsK/seedS``, ids
and interactions are read from ``results/DATASET``, and the index is built.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from hashgnn.data.interactions import load_ids, load_interactions, save_ids, save_interactions
from hashgnn.errors import InputError, shown
from hashgnn.files import atomic_write, load_array, read_together, replace_together, save_array
from hashgnn.recommender.queries import Ids
from hashgnn.recommender.trained_model import Model
from hashgnn.search import Index, Representation
from hashgnn.search.storage import DESCRIPTION, FILES
from hashgnn.search.validation import fit_codes, fit_vectors
from hashgnn.stage.record import (
    Inputs,
    check_output,
    describe_outputs,
    read_record,
    write_record,
)

RECORD = "train.provenance.json"
_INDEX = "index"
_SHAPES = "weights"  # key of the record
_ARRAYS = ("user_codes", "item_codes", "user_vectors", "item_vectors")
_DATA = ("users.csv", "items.csv", "interactions.npz")
_INDEX_FILES = [f"{_INDEX}/{name}" for name in FILES]
# The description of the index holds the checksums of its arrays.
_FEATURES = "features.npz"
_COLUMNS = "features"  # key of the record
_WEIGHTS = "weights.npy"  # of a graph method, one after the other; the record has their shapes
_FILES = (
    *(f"{name}.npy" for name in _ARRAYS),
    *_DATA,
    "history.csv",
    _WEIGHTS,
    _FEATURES,
    f"{_INDEX}/{DESCRIPTION}",
)
State = tuple[tuple[str, int, int, int], ...]  # name, inode, size and time of each file
_SETTINGS = {"method": str, "bits": int, "seed": int, "parameters": dict}


def save_model(folder: Path, model: Model, history: pd.DataFrame) -> None:
    """Write ``model`` to ``folder``, replacing an existing one atomically."""
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
        own = (_SHAPES, _COLUMNS)
        record = {key: value for key, value in model.record.items() if key not in own}
        if (features := model.features) is not None:
            from hashgnn.data.features import save_features

            save_features(staged / _FEATURES, features)
            record[_COLUMNS] = features.columns
        if model.weights is not None:
            flat = [np.ravel(array).astype(np.float32) for array in model.weights.values()]
            save_array(staged / _WEIGHTS, np.concatenate(flat))
            record[_SHAPES] = {name: list(array.shape) for name, array in model.weights.items()}
        outputs = describe_outputs(staged / RECORD, [staged / name for name in _FILES])
        write_record(staged / RECORD, {**record, "outputs": outputs})


def load_model(folder: Path, verify: bool = True) -> Model:
    """Load a saved model or a result folder of the workflow; arrays are memory-mapped.

    ``verify`` reads all files once, to compare checksums. Raises ``InputError`` naming a file that
    is missing, damaged or does not fit the others.
    """
    try:
        with read_together(folder):
            return _load(folder, verify)
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error})") from error


def load_history(folder: Path) -> pd.DataFrame:
    """Return the course of the training; empty if it was not saved."""
    path = folder / "history.csv"
    try:
        return pd.read_csv(path)
    except (FileNotFoundError, pd.errors.EmptyDataError):
        return pd.DataFrame()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); train again") from error


def has_model(folder: Path) -> bool:
    """Return whether ``folder`` exists and holds a model."""
    if not folder.is_dir():
        return False
    with read_together(folder):
        return (folder / RECORD).exists()


def load_record(folder: Path) -> dict[str, Any]:
    """Return the provenance of the model in ``folder``; raise ``InputError`` if it is unusable."""
    path = folder / RECORD
    if not path.exists():
        raise InputError(
            f"{folder}: not a result folder, as {RECORD} is missing; expected "
            "results/DATASET/MODEL/bitsK/seedS, or a folder made by hashgnn train or HashGNN.save"
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


def method_id(record: Mapping[str, Any]) -> str:
    """Return the id of the method of a model; the last part of its module if that was not kept."""
    settings = record["settings"]
    return str(settings.get("model") or settings["method"].rpartition(".")[2])


def data_folder(folder: Path) -> Path:
    """Return the folder that holds the ids and interactions of a result folder."""
    above = folder.resolve().parents
    for data in (folder, *above[2:3]):
        if (data / "items.csv").is_file():
            return data
    raise InputError(
        f"{folder}: neither it nor {above[min(2, len(above) - 1)]} has users.csv and items.csv"
    )


def _features(path: Path) -> Any:
    # Imported here because most models have none.
    from hashgnn.data.features import load_features

    return load_features(path)


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
        _weights(folder / _WEIGHTS, record.get(_SHAPES)),
        _features(folder / _FEATURES) if _COLUMNS in record else None,
    )
    _check_model(folder, model, finite=verify)
    pa.default_memory_pool().release_unused()  # what reading the ids took
    return model


def _array(folder: Path, name: str, outputs: Collection[str]) -> np.ndarray | None:
    """Return a saved array, or None; older records do not list the files, so look for it there."""
    path = folder / name
    there = name in outputs if outputs else path.exists()
    return load_array(path, memory_map=True) if there else None


def _weights(path: Path, shapes: Any) -> dict[str, np.ndarray] | None:
    """Return the saved weights by name; None if there are none, as in older folders."""
    if shapes is None:
        return None
    flat = load_array(path, memory_map=True)
    try:
        sizes = [int(np.prod(shape, dtype=np.int64)) for shape in shapes.values()]
        parts = np.split(flat, np.cumsum(sizes))
        if flat.dtype != np.float32 or flat.ndim != 1 or len(parts[-1]):
            raise ValueError(f"found {flat.dtype} {list(flat.shape)}")
        named = zip(shapes.items(), parts[:-1], strict=True)
        return {name: part.reshape(shape) for (name, shape), part in named}
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not the weights of {RECORD} ({error}); train again") from error


def _ids(path: Path, side: str, record: Mapping[str, Any]) -> Ids:
    texts = load_ids(path)
    integer = bool(record.get("integer_ids", {}).get(side))
    if integer and not _are_integers(texts):
        raise InputError(f"{path}: expected integers, as recorded in {RECORD}")
    return Ids(pd.Index(texts.to_pandas(), dtype="str"), integer)


def _are_integers(ids: pa.Array) -> bool:
    for kind in (pa.int64(), pa.uint64()):
        with suppress(pa.ArrowInvalid):
            ids.cast(kind)
            return True
    return False


def _check_model(folder: Path, model: Model, finite: bool) -> None:
    """Raise ``InputError`` unless all parts of the model in ``folder`` fit each other.

    ``finite``: whether to read all vectors, to check that they are finite.
    """
    interactions = model.interactions
    sides = (
        ("user", model.users, len(model.user_ids), interactions.n_users),
        ("item", model.items, len(model.item_ids), interactions.n_items),
    )
    for side, (codes, vectors), rows, numbered in sides:
        if rows != numbered:
            raise InputError(
                f"{folder}: {rows} {side} ids, but interactions of {numbered} {side}s; train again"
            )
        with _naming(folder / f"{side}_codes.npy"):
            if codes is not None:
                fit_codes(codes, rows)
        with _naming(folder / f"{side}_vectors.npy"):
            if vectors is not None:
                fit_vectors(vectors, rows, finite=finite)
    for what, expected, found in _sizes(model):
        if found != expected:
            raise InputError(f"{folder}: {what}: expected {expected}, found {found}; train again")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}; train again") from error


def _sizes(model: Model) -> list[tuple[str, int | None, int | None]]:
    """Return pairs of sizes that are equal in a valid model; None for what a method lacks."""
    index = model.index
    user_bytes, item_bytes = (_width(side.codes) for side in (model.users, model.items))
    user_width, item_width = (_width(side.vectors) for side in (model.users, model.items))
    planes = None if index.planes is None else index.planes.shape[1] // 8
    return [
        ("bytes per item code", user_bytes, item_bytes),
        ("dimensions of the item vectors", user_width, item_width),
        ("items of the index", len(model.item_ids), len(index)),
        ("bytes per code of the index", item_bytes, planes),
        ("dimensions of the vectors of the index", item_width, _width(index.vectors)),
    ]


def _width(array: np.ndarray | None) -> int | None:
    return None if array is None else array.shape[1]


class LiveModel:
    """The latest model of a folder that could be loaded.

    Those who take ``model`` once finish with it: a model stays mapped until the last of them has
    ended, also when its files have been replaced.

    Attributes:
        model: The model that answers.
        replaced: How often a new model took the place of another.
        refused: How often a new model could not be loaded.
    """

    def __init__(self, folder: Path, log: logging.Logger, verify: bool = True) -> None:
        """Load the model; raise ``InputError`` if that fails."""
        self.folder = folder
        self.replaced = self.refused = 0
        self._log, self._verify = log, verify
        self._seen = self._tried = _state(folder)
        self.model = self._load()

    def refresh(self) -> bool:
        """Load the model again if its files differ from those of the last attempt.

        Files that changed since the last call may still be written, and wait for the next one. If a
        model cannot be loaded, one line says why and the model before stays. Returns whether the
        model was replaced.
        """
        before, self._seen = self._seen, _state(self.folder)
        if self._seen == self._tried or self._seen != before:
            return False
        self._tried = self._seen
        try:
            self.model = self._load()
        except (InputError, OSError) as error:
            self.refused += 1
            reason = " ".join(str(error).split())
            self._log.error("%s; the model before is still served", reason)
            return False
        self.replaced += 1
        self.announce()
        return True

    def announce(self) -> None:
        """Log the folder and the size of the model."""
        users, items = len(self.model.user_ids), len(self.model.item_ids)
        self._log.info("serving %s: %s users, %s items", self.folder, f"{users:,}", f"{items:,}")

    def watch(self, seconds: float, ended: threading.Event) -> None:
        """Call ``refresh`` every ``seconds`` until ``ended`` is set."""
        while not ended.wait(seconds):
            _guarded(self.refresh, self._log)

    def _load(self) -> Model:
        model = load_model(self.folder, self._verify)
        first = model.user_ids.text[0]
        # Compiled kernels are read, and tables of ids are made, before the first request.
        search = "continuous" if model.items.codes is None else "hierarchical"
        search = "hamming" if model.items.vectors is None else search
        model.recommend([first], 1, search=search, filter_items=[model.item_ids.text[0]])
        return model


def _state(folder: Path) -> State:
    """Return what tells the files of a model from others of the same names."""
    found = []
    for part in (folder, folder / _INDEX):
        try:
            for path in sorted(part.iterdir()):
                if path.is_file() and not path.name.startswith("."):
                    stat = path.stat()
                    found.append((path.name, stat.st_ino, stat.st_size, stat.st_mtime_ns))
        except OSError:  # being replaced, or gone
            continue
    return tuple(found)


def _guarded(call: Callable[[], object], log: logging.Logger) -> None:
    try:
        call()
    except Exception:  # of a defect; the thread must go on
        log.exception("the folder of the model could not be looked at")
