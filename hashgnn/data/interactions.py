"""Interactions of users with items, whole and split, and the files that hold them."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hashgnn.errors import InputError
from hashgnn.files import load_arrays, save_arrays

PARTS = ("train", "validation", "test")


class Csr(NamedTuple):
    """The items of each user: row u is ``indices[indptr[u]:indptr[u + 1]]``, ascending."""

    indptr: np.ndarray  # int64 [users + 1]
    indices: np.ndarray  # int32 [interactions]


def take_rows(csr: Csr, rows: np.ndarray) -> Csr:
    """The rows ``rows`` of ``csr``, in that order."""
    lengths = np.diff(csr.indptr)[rows]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    places = np.arange(indptr[-1]) + np.repeat(csr.indptr[rows] - indptr[:-1], lengths)
    return Csr(indptr, csr.indices[places])


@dataclass(frozen=True)
class Interactions:
    """Unique (user, item) pairs, sorted by user, then item.

    ``user_key``, ``item_key``: of each id, by ``hashgnn.data.ids.id_keys``.
    ``time``: seconds since 1970, the earliest of a pair's repeats, where the data has it.
    ``source``: number of the file that a pair was first seen in, where there are several.
    """

    user: np.ndarray  # int32 [interactions]
    item: np.ndarray  # int32 [interactions]
    n_users: int
    n_items: int
    user_key: np.ndarray  # uint64 [users]
    item_key: np.ndarray  # uint64 [items]
    time: np.ndarray | None = None  # int64 [interactions]
    source: np.ndarray | None = None  # int16 [interactions]

    def csr(self, keep: np.ndarray) -> Csr:
        """The pairs where the bool array ``keep`` [interactions] is set, by user."""
        user, item = self.user[keep], self.item[keep]
        indptr = np.zeros(self.n_users + 1, dtype=np.int64)
        np.cumsum(np.bincount(user, minlength=self.n_users), out=indptr[1:])
        return Csr(indptr, item)


@dataclass(frozen=True)
class Split:
    """Disjoint parts of the interactions; each has a row for every user."""

    train: Csr
    validation: Csr
    test: Csr
    n_users: int
    n_items: int


def save_interactions(path: Path, interactions: Interactions) -> None:
    """Write ``interactions`` as ``.npz``, atomically."""
    optional = {"time": interactions.time, "source": interactions.source}
    save_arrays(
        path,
        user=interactions.user,
        item=interactions.item,
        user_key=interactions.user_key,
        item_key=interactions.item_key,
        **_sizes(interactions.n_users, interactions.n_items),
        **{name: array for name, array in optional.items() if array is not None},
    )


def load_interactions(path: Path) -> Interactions:
    """Read what ``save_interactions`` wrote; ``InputError`` if it is something else."""
    arrays = _load(path, ("user", "item", "n_users", "n_items", "user_key", "item_key"))
    return Interactions(
        arrays["user"],
        arrays["item"],
        int(arrays["n_users"]),
        int(arrays["n_items"]),
        arrays["user_key"],
        arrays["item_key"],
        arrays.get("time"),
        arrays.get("source"),
    )


def save_split(path: Path, split: Split) -> None:
    """Write ``split`` as ``.npz``, atomically."""
    arrays = _sizes(split.n_users, split.n_items)
    for part in PARTS:
        csr: Csr = getattr(split, part)
        arrays |= {f"{part}_indptr": csr.indptr, f"{part}_items": csr.indices}
    save_arrays(path, **arrays)


def load_split(path: Path) -> Split:
    """Read what ``save_split`` wrote; ``InputError`` if it is something else."""
    names = [f"{part}_{kind}" for part in PARTS for kind in ("indptr", "items")]
    arrays = _load(path, (*names, "n_users", "n_items"))
    parts = {part: Csr(arrays[f"{part}_indptr"], arrays[f"{part}_items"]) for part in PARTS}
    return Split(n_users=int(arrays["n_users"]), n_items=int(arrays["n_items"]), **parts)


def _sizes(n_users: int, n_items: int) -> dict[str, np.ndarray]:
    return {"n_users": np.array(n_users, np.int64), "n_items": np.array(n_items, np.int64)}


def _load(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    arrays = load_arrays(path)
    if missing := [name for name in names if name not in arrays]:
        raise InputError(
            f"{path}: lacks {', '.join(missing)}; delete it and run the same command again"
        )
    return arrays
