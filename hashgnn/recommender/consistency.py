"""What the files of a model must agree on before anything is searched."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hashgnn.errors import InputError
from hashgnn.recommender.model import Model
from hashgnn.search.validation import fit_codes, fit_vectors


def check_model(folder: Path, model: Model, finite: bool) -> None:
    """``InputError`` unless all parts of the model in ``folder`` fit each other.

    ``finite``: whether to read all vectors, to see that their numbers are.
    """
    known = model.interactions
    sides = (
        ("user", model.users, len(model.user_ids), known.n_users),
        ("item", model.items, len(model.item_ids), known.n_items),
    )
    for side, (codes, vectors), rows, numbered in sides:
        if rows != numbered:
            raise InputError(
                f"{folder}: {rows} ids of {side}s, but interactions of {numbered}; train again"
            )
        with _named(folder / f"{side}_codes.npy"):
            if codes is not None:
                fit_codes(codes, rows)
        with _named(folder / f"{side}_vectors.npy"):
            if vectors is not None:
                fit_vectors(vectors, rows, finite=finite)
    for what, expected, found in _sizes(model):
        if found != expected:
            raise InputError(f"{folder}: {what}: expected {expected}, found {found}; train again")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}; train again") from error


def _sizes(model: Model) -> list[tuple[str, int | None, int | None]]:
    """Pairs of numbers that are equal in one model, None for what a method does not have."""
    index = model.index
    user_bytes, item_bytes = (_width(side.codes) for side in (model.users, model.items))
    user_width, item_width = (_width(side.vectors) for side in (model.users, model.items))
    planes = None if index.planes is None else index.planes.shape[1] // 8
    return [
        ("bytes of the items' codes", user_bytes, item_bytes),
        ("dimensions of the items' vectors", user_width, item_width),
        ("items of the index", len(model.item_ids), len(index)),
        ("bytes of the index's codes", item_bytes, planes),
        ("dimensions of the index's vectors", item_width, _width(index.vectors)),
    ]


def _width(array: np.ndarray | None) -> int | None:
    return None if array is None else array.shape[1]
