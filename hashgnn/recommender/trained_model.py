"""A trained model that recommends items to users, both named by their ids."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import Field

from hashgnn.config.base import Section, parse
from hashgnn.data.interactions import Csr, Interactions, take_rows
from hashgnn.errors import InputError, shown
from hashgnn.evaluation.representation import Representation
from hashgnn.search import Index

Search = Literal["hierarchical", "hamming", "continuous"]
SEARCHES: tuple[Search, ...] = get_args(Search)
Size = Annotated[int, Field(ge=1)]  # without a limit: larger values mean all

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
        texts = [_id_text(id_, kind) for id_ in _as_several(ids, kind)]
        rows = self.text.get_indexer(pd.Index(texts, dtype="str"))
        unknown = [text for text, row in zip(texts, rows, strict=True) if row < 0]
        if unknown:
            more = f" and {len(unknown) - _MAX_SHOWN:,} more" if len(unknown) > _MAX_SHOWN else ""
            raise InputError(
                f"unknown {kind}: {', '.join(map(repr, unknown[:_MAX_SHOWN]))}{more}; the model "
                f"knows the {len(self):,} {kind}s that it was trained on, such as "
                f"{str(self.text[0])!r}"
            )
        return rows

    def at(self, rows: np.ndarray) -> pd.Index:
        """Return the ids of ``rows``, as text or integers."""
        chosen = self.text.take(rows)
        return chosen.astype(self._integer_type) if self.integer else chosen

    @cached_property
    def _integer_type(self) -> type[np.integer]:
        """Return uint64 if one of the ids needs it, else int64."""
        long = self.text[self.text.str.len() >= len(str(_INT64_MAX))]
        return np.uint64 if any(int(text) > _INT64_MAX for text in long) else np.int64


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
        return id_
    if isinstance(id_, int | np.integer) and not isinstance(id_, bool):
        return str(int(id_))
    if isinstance(id_, UUID):
        return str(id_)
    raise InputError(
        f"{kind} {shown(id_)} is {type(id_).__name__}; ids are text, integers or UUIDs"
    )


class Query(Section):
    """The arguments of ``Model.recommend`` that do not name users."""

    n: Size
    """Items per user."""

    search: Search
    """The search that ranks them."""

    exclude_known: bool
    """Whether to leave out the items that a user interacted with in training."""

    candidates: Size
    """Items that hierarchical search re-ranks."""

    def sizes(self, n_items: int) -> tuple[int, int]:
        """Return ``n`` and ``candidates``, limited to ``n_items``.

        There are at least ``n`` candidates, as fewer would make the list too short.
        """
        n = min(self.n, n_items)
        return n, min(max(self.candidates, n), n_items)


@dataclass(frozen=True)
class Model:
    """Representations of users and items, their ids, and the interactions of the training.

    ``record``: the provenance of the training, as in ``train.provenance.json``.
    """

    user_ids: Ids
    item_ids: Ids
    users: Representation
    items: Representation
    index: Index
    interactions: Interactions
    record: Mapping[str, Any]

    @property
    def bits(self) -> int:
        """Return the length of a code, which may differ from the requested length.

        PTE's codes are one bit longer, for instance. Older records hold only the requested length.
        """
        return int(self.record.get("code_bits", self.record["settings"]["bits"]))

    def recommend(
        self,
        users: Hashable | Iterable[Hashable] | None = None,
        n: int = 10,
        search: Search = "hierarchical",
        exclude_known: bool = True,
        candidates: int = 500,
    ) -> pd.DataFrame:
        """Return the best items of each user.

        Args:
            users: One or several ids; all users by default.
            n: Items per user.
            search: ``hamming`` scores by the inner product of the codes, bits - 2 * distance;
                ``continuous`` by the inner product of the vectors; ``hierarchical`` by that of the
                vectors among the ``candidates`` nearest codes.
            exclude_known: Whether to leave out the items that a user interacted with in training.
            candidates: Items that hierarchical search re-ranks; at least ``n`` are used.

        Returns:
            The columns user, item, rank (from 1) and score, best item first. A user has fewer than
            ``n`` rows, or none, if fewer items remain.

        Raises:
            InputError: A user is unknown, or the method lacks the codes or vectors of ``search``.
        """
        query = parse(
            Query,
            {"n": n, "search": search, "exclude_known": exclude_known, "candidates": candidates},
        )
        self._check(query.search)
        n, candidates = query.sizes(len(self.item_ids))
        rows = np.arange(len(self.user_ids)) if users is None else self.user_ids.rows(users, "user")
        excluded = take_rows(self._seen, rows) if query.exclude_known else None
        items, scores = self._search(query.search, self.users.rows(rows), n, excluded, candidates)
        found = items >= 0
        ranks = np.broadcast_to(np.arange(1, n + 1), items.shape)
        return pd.DataFrame(
            {
                "user": self.user_ids.at(np.repeat(rows, found.sum(axis=1))),
                "item": self.item_ids.at(items[found]),
                "rank": ranks[found],
                "score": scores[found],
            }
        )

    @cached_property
    def _seen(self) -> Csr:
        return self.interactions.csr(np.ones(len(self.interactions.user), dtype=bool))

    def _check(self, search: Search) -> None:
        if search != "continuous" and self.items.codes is None:
            raise InputError(f"search {search!r}: this method has no codes; use 'continuous'")
        if search != "hamming" and self.items.vectors is None:
            raise InputError(f"search {search!r}: this method has no vectors; use 'hamming'")

    def _search(
        self,
        search: Search,
        queries: Representation,
        n: int,
        excluded: Csr | None,
        candidates: int,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return items int32 and scores, [users, n] each; item -1 where there are fewer."""
        codes, vectors = queries
        if search == "hamming":
            items, distances = self.index.hamming(codes, n, excluded)  # type: ignore[arg-type]
            return items, self.bits - 2 * distances
        if search == "continuous":
            return self.index.continuous(vectors, n, excluded)  # type: ignore[arg-type]
        return self.index.hierarchical(codes, vectors, n, excluded, candidates)  # type: ignore[arg-type]
