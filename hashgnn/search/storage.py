"""Save indexes as folders of ``.npy`` files, and check those that are mapped into memory."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hashgnn.errors import InputError
from hashgnn.files import (
    atomic_write,
    file_checksum,
    load_array,
    load_object,
    read_together,
    replace_together,
    save_array,
)
from hashgnn.search._kernels.bit_planes import CHUNK_ITEMS, CHUNK_WORDS
from hashgnn.search.validation import MAX_BITS, check_numbers

DESCRIPTION = "index.json"
_FORMAT = 1
_IDS_BELOW = "ids_below"  # only where some ids are missing
_REMEDY = "build and save the index again"


class Arrays(NamedTuple):
    """The arrays of an index."""

    order: np.ndarray  # int32 [items]
    planes: np.ndarray | None  # uint64 [chunks, bits, 8]
    vectors: np.ndarray | None  # float32 [items, d]


FILES = (DESCRIPTION, *(f"{name}.npy" for name in Arrays._fields))


def save_arrays(folder: Path, arrays: Arrays, ids_below: int) -> None:
    """Write the arrays with their checksums, replacing an index in ``folder``.

    ``ids_below``: ids in ``arrays.order`` are smaller than this.
    """
    present = {name: array for name, array in arrays._asdict().items() if array is not None}
    with replace_together(folder, FILES) as staged:
        for name, array in present.items():
            save_array(staged / _file(name), array)
        checksums = {name: _checksum(staged / _file(name)) for name in present}
        description = {"format": _FORMAT, "arrays": list(present), "checksums": checksums}
        if ids_below != len(arrays.order):
            description[_IDS_BELOW] = ids_below
        with atomic_write(staged / DESCRIPTION) as temporary:
            temporary.write_text(json.dumps(description) + "\n")


def load_arrays(folder: Path, verify: bool) -> tuple[Arrays, int]:
    """Map into memory what ``save_arrays`` wrote; raise ``InputError`` if it is incomplete.

    Returns the arrays and ``ids_below``.

    ``verify`` reads all files once and compares checksums. Without it, sizes, types and the order
    are checked, so that a search stays inside the arrays, but not the bits of codes and vectors.
    """
    try:
        with read_together(folder):
            names, checksums, ids_below = _description(folder / DESCRIPTION)
            if verify:
                for name in checksums:
                    _verify(folder / _file(name), checksums[name])
            mapped = {name: load_array(folder / _file(name), memory_map=True) for name in names}
    except OSError as error:
        raise InputError(f"{folder}: not a saved index ({error}); build and save it") from error
    arrays = Arrays(*map(mapped.get, Arrays._fields))  # type: ignore[arg-type]
    ids_below = _check_order(folder / "order.npy", arrays.order, ids_below)
    if arrays.planes is not None:
        _check_planes(folder / "planes.npy", arrays.planes, len(arrays.order))
    if arrays.vectors is not None:
        _check_vectors(folder / "vectors.npy", arrays.vectors, len(arrays.order))
        if verify and not checksums:
            _check_finite(folder / "vectors.npy", arrays.vectors)
    return arrays, ids_below


def _file(name: str) -> str:
    return f"{name}.npy"


def _checksum(path: Path) -> str:
    return str(file_checksum(path, "sha256"))


def _description(path: Path) -> tuple[list[str], dict[str, object], int | None]:
    """Return names and checksums of the arrays, and ``ids_below`` where some ids are missing.

    Indexes of older versions have no checksums.
    """
    if not path.exists():
        raise InputError(f"{path.parent}: not a saved index ({path.name} is missing); {_REMEDY}")
    description = load_object(path)
    if description.get("format") != _FORMAT:
        raise InputError(f"{path.parent}: of an incompatible version; {_REMEDY}")
    names, checksums = description.get("arrays"), description.get("checksums", {})
    known = [["order", *some] for some in (["planes"], ["vectors"], ["planes", "vectors"])]
    if names not in known or not isinstance(checksums, dict) or checksums.keys() - set(names):
        raise InputError(f"{path}: not an array of an index; {_REMEDY}")
    if checksums and checksums.keys() != set(names):
        raise InputError(f"{path}: lacks checksums; {_REMEDY}")
    ids_below = description.get(_IDS_BELOW)
    if ids_below is not None and not (isinstance(ids_below, int) and 0 <= ids_below < 2**31):
        raise InputError(f"{path}: {_IDS_BELOW}: expected a number below 2^31; {_REMEDY}")
    return names, checksums, ids_below


def _verify(path: Path, expected: object) -> None:
    if (found := _checksum(path)) != expected:
        raise InputError(
            f"{path}: altered or damaged since it was saved: {DESCRIPTION} says {expected!r:.80}, "
            f"found {found}; {_REMEDY}"
        )


def _check_order(path: Path, order: np.ndarray, ids_below: int | None) -> int:
    """Check that ``order`` holds each id once, of those below ``ids_below`` if that is given.

    Returns ``ids_below``, by default the number of items.
    """
    if order.dtype != np.int32 or order.ndim != 1:
        raise _unfit(path, order, "int32 [items]")
    below = len(order) if ids_below is None else ids_below
    fits = not len(order) or (order.min() >= 0 and order.max() < below)
    if ids_below is None and fits:  # faster than sorting
        seen = np.zeros(below, dtype=bool)
        seen[order] = True
        fits = bool(seen.all())
    if not fits or (ids_below is not None and len(np.unique(order)) < len(order)):
        which = "each number" if ids_below is None else "numbers"
        raise InputError(f"{path}: expected {which} from 0 to {below - 1} once; {_REMEDY}")
    return below


def _check_planes(path: Path, planes: np.ndarray, n_items: int) -> None:
    bits = planes.shape[1] if planes.ndim == 3 else 0
    shape = (-(-n_items // CHUNK_ITEMS), bits, CHUNK_WORDS)
    fits = planes.dtype == np.uint64 and planes.shape == shape and planes.flags.c_contiguous
    if not fits or bits % 8 or not 8 <= bits <= MAX_BITS:
        expected = f"uint64 [{shape[0]}, bits, {CHUNK_WORDS}] of {n_items:,} items"
        raise _unfit(path, planes, expected)


def _check_vectors(path: Path, vectors: np.ndarray, n_items: int) -> None:
    fits = vectors.ndim == 2 and len(vectors) == n_items and vectors.flags.c_contiguous
    if vectors.dtype != np.float32 or not fits:
        raise _unfit(path, vectors, f"float32 [{n_items}, d]")


def _check_finite(path: Path, vectors: np.ndarray) -> None:
    try:
        check_numbers(vectors)
    except InputError as error:
        raise InputError(f"{path}: {error}; {_REMEDY}") from error


def _unfit(path: Path, array: np.ndarray, expected: str) -> InputError:
    return InputError(f"{path}: {array.dtype} {list(array.shape)}, expected {expected}; {_REMEDY}")
