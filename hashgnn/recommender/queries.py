"""The arguments of queries: how many items to find, by which search, for whom, among which."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, TypedDict, get_args

import numpy as np
import pandas as pd
from pydantic import ConfigDict, Field

from hashgnn.config.base import Section
from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.recommender.id_rows import Ids, Unknown, listed, texts
from hashgnn.search import Index, Representation

Search = Literal["hierarchical", "hamming", "continuous"]
SEARCHES: tuple[Search, ...] = get_args(Search)
Size = Annotated[int, Field(ge=1)]  # without a limit: larger values mean all

CANDIDATES = 500  # by default
_LISTED = 1 << 16  # forbidden items of all queries together that are excluded query by query


class Options(TypedDict, total=False):
    """Options of a query, which ``Query`` describes."""

    search: Search
    exclude_known: bool
    candidates: int | None
    unknown: Unknown


def sizes(n: int, candidates: int | None, most: int) -> tuple[int, int]:
    """Return ``n`` and the number of candidates, limited to ``most``.

    Raises ``InputError`` for fewer candidates than ``n``: the list would be too short.
    """
    n = min(n, most)
    if candidates is None:
        candidates = max(CANDIDATES, n)
    if candidates < n:
        raise InputError(f"candidates: expected n = {n:,} or more, got {candidates:,}")
    return n, min(candidates, most)


class NeighborQuery(Section):
    """How many neighbors of an item or user to find, and how."""

    # The reference of the configuration does not show queries, and extraction takes time.
    model_config = ConfigDict(use_attribute_docstrings=False)

    n: Size
    """Length of the lists."""

    search: Search = "hierarchical"
    """``hamming`` scores by the inner product of the codes, bits - 2 * distance; ``continuous`` by
    that of the vectors; ``hierarchical`` by that of the vectors among the nearest codes."""

    candidates: Size | None = None
    """Items that hierarchical search re-ranks, ``n`` or more; by default 500, or ``n`` if that is
    more."""

    unknown: Literal["error", "skip"] = "error"
    """Whether an unknown id is an ``error`` or is left out."""

    def sizes(self, most: int) -> tuple[int, int]:
        """Return ``n`` and ``candidates``, limited to ``most``."""
        return sizes(self.n, self.candidates, most)


class Query(NeighborQuery):
    """How many items to recommend, and how to find them."""

    exclude_known: bool = True
    """Whether to leave out the items that a user interacted with in training."""

    unknown: Unknown = "error"  # type: ignore[assignment]
    """Whether an unknown id is an ``error``, is left out (``skip``), or is a user who gets the most
    ``popular`` items, which the column source tells."""


class Users(NamedTuple):
    """Users to recommend items to.

    Attributes:
        names: Their ids as text.
        known: Whether the model has a representation of each: bool [users].
        queries: The representations of those that are known.
        seen: The items of those that are known.
    """

    names: Sequence[str]
    known: np.ndarray
    queries: Representation
    seen: Csr


class Ranked(NamedTuple):
    """Ranked lists, a row for each id that was asked for.

    Attributes:
        kind: Name of the ids that were asked for: user or item.
        ids: These ids [Q].
        found: Rows of the model that are listed, int32 [Q, n]; -1 where there are fewer.
        scores: Their scores [Q, n].
        sources: model or popular for each list [Q]; None if all are the model's.
    """

    kind: str
    ids: pd.Index
    found: np.ndarray
    scores: np.ndarray
    sources: np.ndarray | None = None

    def table(self, name: str, listed: Ids) -> pd.DataFrame:
        """Return the columns ``kind``, ``name``, rank, score and, where there are any, source.

        ``listed``: the ids of the rows ``found``, which become the column ``name``.
        """
        valid = self.found >= 0
        lengths = valid.sum(axis=1)
        ranks = np.broadcast_to(np.arange(1, self.found.shape[1] + 1), self.found.shape)
        columns = {
            self.kind: self.ids.take(np.repeat(np.arange(len(lengths)), lengths)),
            name: listed.at(self.found[valid]),
            "rank": ranks[valid],
            "score": self.scores[valid],
        }
        if self.sources is not None:
            columns["source"] = np.repeat(self.sources, lengths)
        return pd.DataFrame(columns)


class Filter(NamedTuple):
    """Items that a caller allows or forbids, as rows of the model; None for no filter.

    They are the same for all users, or differ by the text of the user's id.
    """

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
