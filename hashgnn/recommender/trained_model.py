"""A trained model that recommends items to users, both named by their ids."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hashgnn.config.base import parse
from hashgnn.data.interactions import Csr, Interactions, take_rows
from hashgnn.errors import InputError, needing
from hashgnn.recommender.queries import (
    Ids,
    NeighborQuery,
    Query,
    Ranked,
    Search,
    Selection,
    Unknown,
    Users,
    read_filter,
    select,
    stack,
    texts,
)
from hashgnn.search import Index, Representation

if TYPE_CHECKING:
    from hashgnn.data.features import Features


@dataclass(frozen=True)
class Model:
    """Representations of users and items, their ids, and the interactions of the training.

    ``record``: the provenance of the training, as in ``train.provenance.json``. ``weights``: those
    of a graph method by name, which represent new users; None if they were not saved.
    ``features``: those of users and items that it was trained with, if any.
    """

    user_ids: Ids
    item_ids: Ids
    users: Representation
    items: Representation
    index: Index
    interactions: Interactions
    record: Mapping[str, Any]
    weights: Mapping[str, np.ndarray] | None = None
    features: "Features | None" = None

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
        *,
        histories: Any = None,
        items: Any = None,
        filter_items: Any = None,
        **options: Any,
    ) -> pd.DataFrame:
        """Return the best items of each user.

        Args:
            users: One or several ids; all users by default.
            n: Items per user.
            histories: Items of users who need not be known, instead of ``users``: a mapping from
                users to lists of items, or a table with the columns user and item. They are
                represented by these items, without training.
            items: Ids of the only items to recommend; or a mapping from users to such lists.
            filter_items: Ids of items that are not recommended; or a mapping from users to such
                lists. Users who are not in it get all items.
            options: See ``Query``.

        Returns:
            The columns user, item, rank (from 1) and score, best item first. A user has fewer than
            ``n`` rows, or none, if fewer items remain. With ``unknown="popular"`` also source,
            which is model or popular; the score of popular items is their number of users.

        Raises:
            InputError: An id is unknown, or the method lacks the codes or vectors of ``search``.
        """
        filters = {"items": items, "filter_items": filter_items}
        ranked = self.rank(users, n, histories=histories, **filters, **options)
        return ranked.table("item", self.item_ids)

    def rank(
        self,
        users: Any = None,
        n: int = 10,
        *,
        histories: Any = None,
        items: Any = None,
        filter_items: Any = None,
        **options: Any,
    ) -> Ranked:
        """Return what ``recommend`` does, as rows of the model."""
        query = parse(Query, {"n": n, **options})
        self._check(query.search)
        if histories is None:
            asked = self._named(users, query.unknown)
        elif users is None:
            asked = self._with_histories(histories, query.unknown)
        else:
            raise InputError("users and histories: give one of them")
        return self._answer(asked, query, items, filter_items)

    def similar(self, kind: str, ids: Any, n: int = 10, **options: Any) -> pd.DataFrame:
        """Return the items most similar to items, or the users most similar to users.

        Args:
            kind: item or user.
            ids: One or several ids.
            n: Similar ones to return for each.
            options: ``items`` and ``filter_items`` as for ``recommend``, and ``search``,
                ``candidates`` and ``unknown`` (error or skip). The searches score by the inner
                product of the codes, or by the cosine of the vectors.

        Returns:
            The columns item (or user), similar, rank and score.
        """
        known = self.item_ids if kind == "item" else self.user_ids
        return self.rank_similar(kind, ids, n, **options).table("similar", known)

    def rank_similar(self, kind: str, ids: Any, n: int = 10, **options: Any) -> Ranked:
        """Return what ``similar`` does, as rows of the model."""
        filters = {name: options.pop(name, None) for name in ("items", "filter_items")}
        query = parse(NeighborQuery, {"n": n, **options})
        self._check(query.search)
        known = self.item_ids if kind == "item" else self.user_ids
        index, unit = self._item_neighbors if kind == "item" else self._user_neighbors
        names = texts(ids, kind)
        rows = known.find(names, kind, query.unknown)
        names = [name for name, row in zip(names, rows, strict=True) if row >= 0]
        rows = rows[rows >= 0]
        itself = Csr(np.arange(len(rows) + 1), rows.astype(np.int32))
        allowed, forbidden = (
            read_filter(given, name, known, query.unknown) for name, given in filters.items()
        )
        chosen = select(index, names, itself, allowed, forbidden)
        sizes = query.sizes(len(known))
        found, scores = self._search(query.search, sizes, unit.rows(rows), chosen)
        return Ranked(kind, known.at(rows), found, scores)

    def _named(self, users: Any, unknown: Unknown) -> Users:
        """Return the users of the model with these ids, by default all."""
        names = self.user_ids.text.tolist() if users is None else texts(users, "user")
        rows = self.user_ids.find(names, "user", unknown)
        chosen = rows[rows >= 0]
        return Users(names, rows >= 0, self.users.rows(chosen), take_rows(self._seen, chosen))

    def _with_histories(self, given: Any, unknown: Unknown) -> Users:
        """Represent users by their histories; those without a known item count as unknown."""
        # Imported here because most queries do not need it.
        from hashgnn.recommender.adapter import read_histories

        histories = read_histories(given, self.item_ids, unknown)
        usable = np.array([len(rows) > 0 for rows in histories.values()], dtype=bool)
        rows = stack([rows for rows in histories.values() if len(rows)])
        # Imported here because it loads torch, which takes seconds.
        with needing("train"):
            from hashgnn.recommender.new_users import represent

            queries = represent(self, rows) if len(rows.indices) else self.users.rows(rows.indices)
        return Users(list(histories), usable, queries, rows)

    def _answer(self, users: Users, query: Query, items: Any, filter_items: Any) -> Ranked:
        """Rank by the model for known users, and by popularity for others if ``query`` says so."""
        allowed = read_filter(items, "items", self.item_ids, query.unknown)
        forbidden = read_filter(filter_items, "filter_items", self.item_ids, query.unknown)
        sizes = query.sizes(len(self.item_ids))
        found = np.full((len(users.names), sizes[0]), -1, dtype=np.int32)
        scores = np.zeros(found.shape, dtype=np.float32)
        names = np.array(users.names, dtype=object)
        none = Csr(np.zeros(len(names) + 1, dtype=np.int64), np.empty(0, dtype=np.int32))
        seen = users.seen if query.exclude_known else take_rows(none, np.flatnonzero(users.known))
        if users.known.any():
            chosen = select(self.index, names[users.known].tolist(), seen, allowed, forbidden)
            found[users.known], scores[users.known] = self._search(
                query.search, sizes, users.queries, chosen
            )
        strangers = np.flatnonzero(~users.known)
        if len(strangers) and query.unknown == "popular":
            seen = take_rows(none, strangers)
            chosen = select(self._popular, names[strangers].tolist(), seen, allowed, forbidden)
            ones = Representation(None, np.ones((len(strangers), 1), dtype=np.float32))
            found[strangers], scores[strangers] = self._search("continuous", sizes, ones, chosen)
        labels = self.user_ids.labels(users.names)
        if query.search == "hamming" and (users.known.all() or query.unknown != "popular"):
            scores = scores.astype(np.int32)
        sources = np.where(users.known, "model", "popular") if query.unknown == "popular" else None
        return Ranked("user", labels, found, scores, sources)

    @cached_property
    def _seen(self) -> Csr:
        known = self.interactions
        ends = np.searchsorted(known.user, np.arange(known.n_users + 1, dtype=np.int32))
        return Csr(ends, known.item)

    @cached_property
    def _popular(self) -> Index:
        """Return an index that ranks items by their number of users."""
        counts = np.bincount(self.interactions.item, minlength=len(self.item_ids))
        return Index(vectors=counts[:, None].astype(np.float32))

    @cached_property
    def _item_neighbors(self) -> tuple[Index, Representation]:
        return _by_cosine(self.items)

    @cached_property
    def _user_neighbors(self) -> tuple[Index, Representation]:
        return _by_cosine(self.users)

    def _check(self, search: Search) -> None:
        if search != "continuous" and self.items.codes is None:
            raise InputError(f"search {search!r}: this method has no codes; use 'continuous'")
        if search != "hamming" and self.items.vectors is None:
            raise InputError(f"search {search!r}: this method has no vectors; use 'hamming'")
        width = 0 if self.users.vectors is None else self.users.vectors.shape[1]
        if search == "asymmetric" and width != self.bits:
            raise InputError(
                f"search 'asymmetric': vectors have {width} dimensions and codes {self.bits} bits; "
                "it needs as many; use 'hierarchical'"
            )

    def _search(
        self,
        search: Search,
        sizes: tuple[int, int],
        queries: Representation,
        selection: Selection,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return rows int32 and scores, [queries, n] each; row -1 where there are fewer.

        ``sizes``: n and the number of candidates.
        """
        (codes, vectors), (index, exclude, only), (n, candidates) = queries, selection, sizes
        if search == "hamming":
            rows, distances = index.hamming(codes, n, exclude, only)  # type: ignore[arg-type]
            return rows, self.bits - 2 * distances
        if search == "asymmetric":
            return index.asymmetric(vectors, n, exclude, only)  # type: ignore[arg-type]
        if search == "continuous":
            return index.continuous(vectors, n, exclude, only)  # type: ignore[arg-type]
        return index.hierarchical(codes, vectors, n, exclude, candidates, only)  # type: ignore[arg-type]


def _by_cosine(rows: Representation) -> tuple[Index, Representation]:
    """Return an index of rows with vectors of length 1, and these; zero vectors stay."""
    codes, vectors = rows
    if vectors is not None:
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors / np.where(lengths > 0, lengths, 1)
    return Index(codes, vectors), Representation(codes, vectors)
