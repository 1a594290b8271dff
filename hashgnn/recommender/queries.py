"""The arguments of queries: how many items to find, by which search, and for whom."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, TypedDict, get_args

import numpy as np
import pandas as pd
from pydantic import ConfigDict, Field

from hashgnn.config.base import Section
from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.recommender.id_rows import Ids, Unknown
from hashgnn.search import Representation

Search = Literal["hierarchical", "hamming", "continuous"]
SEARCHES: tuple[Search, ...] = get_args(Search)
Size = Annotated[int, Field(ge=1)]  # without a limit: larger values mean all

CANDIDATES = 500  # by default


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
