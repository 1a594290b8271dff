"""A trained model that recommends: ids in, ids out."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from hashgnn.data.interactions import Csr, Interactions, take_rows
from hashgnn.errors import InputError
from hashgnn.metrics.encoded import Encoded
from hashgnn.recommender.ids import Ids
from hashgnn.search import Index

Search = Literal["hierarchical", "hamming", "continuous"]
SEARCHES: tuple[Search, ...] = get_args(Search)


@dataclass(frozen=True)
class Model:
    """Users and items as a method encodes them, their ids, and what the users already know.

    ``record``: how the model came to be, as ``train.provenance.json`` has it.
    """

    user_ids: Ids
    item_ids: Ids
    users: Encoded
    items: Encoded
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
        users: Iterable[Hashable] | None = None,
        n: int = 10,
        search: Search = "hierarchical",
        exclude_known: bool = True,
        candidates: int = 500,
    ) -> pd.DataFrame:
        """The ``n`` best items of each user: columns user, item, rank (from 1) and score.

        ``users``: ids, by default all. ``search``: ``hamming`` scores by the inner product of the
        codes, bits - 2 * distance; ``continuous`` by the inner product of the vectors;
        ``hierarchical`` by that of the vectors among the ``candidates`` nearest by code. A user
        gets fewer rows where fewer items remain. ``InputError`` names unknown users.
        """
        self._check(search, n, candidates)
        rows = np.arange(len(self.user_ids)) if users is None else self.user_ids.rows(users, "user")
        barred = take_rows(self._known, rows) if exclude_known else None
        items, scores = self._search(search, self.users.rows(rows), n, barred, candidates)
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

    def _check(self, search: str, n: int, candidates: int) -> None:
        if search not in SEARCHES:
            raise InputError(f"search {search!r}: expected one of {', '.join(SEARCHES)}")
        if n < 1 or candidates < 1:
            raise InputError(f"n is {n} and candidates {candidates}; give 1 or more")
        if search != "continuous" and self.items.codes is None:
            raise InputError(f"search {search!r}: this method has no codes; use 'continuous'")
        if search != "hamming" and self.items.vectors is None:
            raise InputError(f"search {search!r}: this method has no vectors; use 'hamming'")

    def _search(
        self, search: Search, queries: Encoded, n: int, barred: Csr | None, candidates: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Items int32 and scores [users, n]; -1 where there are fewer."""
        codes, vectors = queries
        if search == "hamming":
            items, distances = self.index.hamming(codes, n, barred)  # type: ignore[arg-type]
            return items, self.bits - 2 * distances
        if search == "continuous":
            return self.index.continuous(vectors, n, barred)  # type: ignore[arg-type]
        return self.index.hierarchical(codes, vectors, n, barred, candidates)  # type: ignore[arg-type]
