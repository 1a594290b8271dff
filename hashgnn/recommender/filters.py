"""Items that a caller allows or forbids, for all users or for each, as rows of the model."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.recommender.id_rows import Ids, Unknown, listed, texts
from hashgnn.search import Index

_LISTED = 1 << 16  # forbidden items of all queries together that are excluded query by query


class Filter(NamedTuple):
    """Rows of items for all users, or for each user by the text of its id; None for no filter."""

    name: str
    for_all: np.ndarray | None = None
    by_user: Mapping[str, np.ndarray] | None = None

    def rows(self, users: Sequence[str]) -> Csr:
        """Return the lists of ``users``; raise ``InputError`` for one who has none."""
        assert self.by_user is not None
        if missing := [user for user in users if user not in self.by_user]:
            raise InputError(
                f"{self.name}: no list for user {listed(missing)}; give each user one, or one list "
                "for all"
            )
        return stack([self.by_user[user] for user in users])


def read_filter(given: Any, name: str, items: Ids, unknown: Unknown) -> Filter:
    """Read a list of item ids, or a mapping from users to such lists.

    Unknown items are left out unless they are an error.
    """
    if given is None:
        return Filter(name)

    def rows(ids: Any) -> np.ndarray:
        found = items.find(texts(ids, "item"), "item", unknown)
        return np.unique(found[found >= 0]).astype(np.int32)

    try:
        if not isinstance(given, Mapping):
            return Filter(name, for_all=rows(given))
        by_user = {texts(user, "user")[0]: rows(ids) for user, ids in given.items()}
        return Filter(name, by_user=by_user)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


class Selection(NamedTuple):
    """The items that each of some users may get, as arguments of a search."""

    searched: Index
    exclude: Csr
    only: Csr | None


def select(
    index: Index, users: Sequence[str], seen: Csr, allowed: Filter, forbidden: Filter
) -> Selection:
    """Combine the filters with the items ``seen`` of each user, which are excluded too.

    Lists for all users are applied to the index, except short lists of forbidden items.
    """
    if allowed.for_all is not None:
        index = index.subset(allowed.for_all)
    if (never := forbidden.for_all) is not None:
        if len(never) * len(users) > _LISTED:
            index = index.subset(np.setdiff1d(index.order, never))
        else:
            seen = joined(seen, stack([never] * len(users)))
    if forbidden.by_user is not None:
        none = np.empty(0, dtype=np.int32)
        seen = joined(seen, stack([forbidden.by_user.get(user, none) for user in users]))
    only = allowed.rows(users) if allowed.by_user is not None else None
    return Selection(index, seen, only)


def stack(rows: Sequence[np.ndarray]) -> Csr:
    """Return arrays of numbers as the rows of a Csr."""
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    return Csr(indptr.astype(np.int64), np.concatenate([*rows, np.empty(0, dtype=np.int32)]))


def joined(one: Csr, other: Csr) -> Csr:
    """Return the entries of both in each row, ascending and distinct."""
    count = len(one.indptr) - 1
    rows = np.concatenate(
        [np.repeat(np.arange(count), np.diff(csr.indptr)) for csr in (one, other)]
    )
    keys = np.unique(rows << 32 | np.concatenate([one.indices, other.indices]))
    indptr = np.searchsorted(keys, np.arange(count + 1, dtype=np.int64) << 32)
    return Csr(indptr, (keys & 0xFFFFFFFF).astype(np.int32))
