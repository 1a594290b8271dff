"""The arguments of queries: how many items to find, by which search, among which, by which ids."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple, TypedDict, get_args
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import ConfigDict, Field

from hashgnn.config.base import Section
from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError, shown
from hashgnn.search import Index, Representation

# The ids of users or items by row, and the rows of ids that a caller names.

# What to do with unknown ids: raise an error, leave them out, or recommend popular items.
Unknown = Literal["error", "skip", "popular"]

_MAX_SHOWN = 3  # unknown ids in a message
_INT64_MAX = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Ids:
    """The ids of users or items by row.

    ``text``: the ids as text. ``integer``: whether they were given as integers, as which they are
    then returned.
    """

    text: pd.Index
    integer: bool = False

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.text)

    def rows(self, ids: Hashable | Iterable[Hashable], kind: str) -> np.ndarray:
        """Return the rows int64 of one or several ids.

        ``kind`` (user or item) is used in messages. Raises one ``InputError`` for all unknown ids.
        """
        return self.find(texts(ids, kind), kind, "error")

    def find(self, names: Sequence[str], kind: str, unknown: Unknown) -> np.ndarray:
        """Return the rows int64 of ids as text; -1 for unknown ones if these are no error."""
        rows = self.text.get_indexer(_index(names))
        missing = [text for text, row in zip(names, rows, strict=True) if row < 0]
        if missing and unknown == "error":
            raise InputError(
                f"unknown {kind}: {listed(missing)}; the model knows the {len(self):,} {kind}s "
                f"that it was trained on, such as {str(self.text[0])!r}"
            )
        return rows

    def at(self, rows: np.ndarray) -> pd.Index:
        """Return the ids of ``rows``, as text or integers."""
        chosen = self.text.take(rows)
        return chosen.astype(self._integer_type) if self.integer else chosen

    def labels(self, names: Sequence[str]) -> pd.Index:
        """Return ids as the model writes them, unknown ones too: what is no integer as text."""
        if not self.integer:
            return _index(names)
        typed = [int(name) if _is_integer(name) else name for name in names]
        try:
            return pd.Index(np.array(typed, dtype=self._integer_type))
        except (OverflowError, ValueError):
            return pd.Index(np.array(typed, dtype=object))

    @cached_property
    def _integer_type(self) -> type[np.integer]:
        """Return uint64 if one of the ids needs it, else int64."""
        long = self.text[self.text.str.len() >= len(str(_INT64_MAX))]
        return np.uint64 if any(int(text) > _INT64_MAX for text in long) else np.int64


def _index(names: Sequence[str]) -> pd.Index:
    return pd.Index(np.array(names, dtype=object), dtype="str")


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and str(int(text)) == text


def listed(names: Sequence[str]) -> str:
    """Return the first of ``names`` and the number of the others, for a message."""
    more = f" and {len(names) - _MAX_SHOWN:,} more" if len(names) > _MAX_SHOWN else ""
    return f"{', '.join(map(repr, names[:_MAX_SHOWN]))}{more}"


def texts(ids: Any, kind: str) -> list[str]:
    """Return one or several ids as text; raise ``InputError`` for what is no id."""
    return [_id_text(id_, kind) for id_ in _as_several(ids, kind)]


def _as_several(ids: Any, kind: str) -> Iterable[Any]:
    """Return an iterable of ids; a single id, such as a text, becomes a list of one."""
    if getattr(ids, "ndim", 1) == 0:  # a scalar of NumPy or torch
        return [ids.item()]
    if isinstance(ids, str | bytes | bytearray) or not isinstance(ids, Iterable):
        return [ids]
    if isinstance(ids, Mapping) or getattr(ids, "ndim", 1) > 1:
        raise InputError(f"{kind}s are {type(ids).__name__}; give one id, or a list of ids")
    return ids


def _id_text(id_: Any, kind: str) -> str:
    if isinstance(id_, pa.Scalar):
        id_ = id_.as_py()
    if isinstance(id_, str):
        if not id_.isascii() and any("\ud800" <= letter <= "\udfff" for letter in id_):
            raise InputError(f"{kind} {id_!a}: not valid Unicode; give text in UTF-8")
        return id_
    if isinstance(id_, int | np.integer) and not isinstance(id_, bool):
        return str(int(id_))
    if isinstance(id_, UUID):
        return str(id_)
    raise InputError(
        f"{kind} {shown(id_)} is {type(id_).__name__}; ids are text, integers or UUIDs"
    )


# Queries.

NeighborSearch = Literal["hierarchical", "hamming", "continuous"]
Search = Literal["hierarchical", "hamming", "asymmetric", "continuous"]
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

    search: NeighborSearch = "hierarchical"
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

    search: Search = "hierarchical"  # type: ignore[assignment]
    """As for neighbors, or ``asymmetric``, which scores by the inner product of the user's vector
    with the items' codes of -1 and 1."""

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
