"""A trained model that recommends: ids in, ids out."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from hashgnn.config.settings import parse
from hashgnn.data.interactions import Csr, Interactions, take_rows
from hashgnn.errors import InputError
from hashgnn.evaluation.representation import Representation
from hashgnn.recommender.adapter import Ids
from hashgnn.recommender.options import Query, Search
from hashgnn.search import Index


@dataclass(frozen=True)
class Model:
    """Users and items as a method encodes them, their ids, and what the users already know.

    ``record``: how the model came to be, as ``train.provenance.json`` has it.
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
        """Length of a code: not always what was asked for, as PTE's are one bit longer.

        Records of versions that did not note it have only what was asked for.
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
        """The ``n`` best items of each user: columns user, item, rank (from 1) and score.

        ``users``: an id or several, by default all. ``search``: ``hamming`` scores by the inner
        product of the codes, bits - 2 * distance; ``continuous`` by the inner product of the
        vectors; ``hierarchical`` by that of the vectors among the ``candidates`` nearest by code,
        of which there are ``n`` at least. A user gets fewer rows where fewer items remain, and none
        where none does. ``InputError`` names unknown users.
        """
        given = {"n": n, "search": search, "exclude_known": exclude_known, "candidates": candidates}
        query = parse(Query, given)
        self._check(query.search)
        n, candidates = query.sizes(len(self.item_ids))
        rows = np.arange(len(self.user_ids)) if users is None else self.user_ids.rows(users, "user")
        barred = take_rows(self._known, rows) if query.exclude_known else None
        items, scores = self._search(query.search, self.users.rows(rows), n, barred, candidates)
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
    def _known(self) -> Csr:
        return self.interactions.csr(np.ones(len(self.interactions.user), dtype=bool))

    def _check(self, search: Search) -> None:
        if search != "continuous" and self.items.codes is None:
            raise InputError(f"search {search!r}: this method has no codes; use 'continuous'")
        if search != "hamming" and self.items.vectors is None:
            raise InputError(f"search {search!r}: this method has no vectors; use 'hamming'")

    def _search(
        self, search: Search, queries: Representation, n: int, barred: Csr | None, candidates: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Items int32 and scores [users, n]; -1 where there are fewer."""
        codes, vectors = queries
        if search == "hamming":
            items, distances = self.index.hamming(codes, n, barred)  # type: ignore[arg-type]
            return items, self.bits - 2 * distances
        if search == "continuous":
            return self.index.continuous(vectors, n, barred)  # type: ignore[arg-type]
        return self.index.hierarchical(codes, vectors, n, barred, candidates)  # type: ignore[arg-type]
