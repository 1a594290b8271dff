"""Read the histories of users: the items of each, as rows of the model."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hashgnn.data.cells import ids
from hashgnn.errors import InputError
from hashgnn.recommender.adapter import column, named_columns
from hashgnn.recommender.id_rows import Ids, Unknown, listed, texts

Histories = dict[str, np.ndarray]  # int32 rows of items, ascending, by the user's id as text


def read_histories(given: Any, items: Ids, unknown: Unknown) -> Histories:
    """Read a mapping from users to lists of items, or a table with the columns user and item.

    Unknown items are left out unless they are an error; so are empty histories.

    Raises:
        InputError: ``given`` has another form, or a history is empty or has unknown items and these
            are errors.
    """
    try:
        if isinstance(given, Mapping):
            named = {texts(user, "user")[0]: texts(own, "item") for user, own in given.items()}
        else:
            named = _of_table(given)
        if unknown == "error" and (empty := [user for user, own in named.items() if not own]):
            raise InputError(f"empty for user {listed(empty)}; give each user an item or more")
        return _rows(named, items, unknown)
    except InputError as error:
        raise InputError(f"histories: {error}") from error


def _of_table(table: Any) -> dict[str, list[str]]:
    pair = named_columns(table, "user", "item")
    if pair is None:
        raise InputError(
            f"found {type(table).__name__}, expected a mapping from users to lists of items, or a "
            "table with the columns user and item"
        )
    users, items = (
        ids(column(values, role), role, lambda row: f"row {row}").to_pylist()
        for values, role in zip(pair, ("user", "item"), strict=True)
    )
    named: dict[str, list[str]] = {}
    for user, item in zip(users, items, strict=True):
        named.setdefault(user, []).append(item)
    return named


def _rows(named: Mapping[str, list[str]], items: Ids, unknown: Unknown) -> Histories:
    """Return the rows of all lists, which are looked up together."""
    every = [item for own in named.values() for item in own]
    rows = items.find(every, "item", unknown).astype(np.int32)
    ends = np.cumsum([0, *(len(own) for own in named.values())])
    return {
        user: np.unique(found[found >= 0])
        for user, found in zip(named, np.split(rows, ends[1:-1]), strict=True)
    }
