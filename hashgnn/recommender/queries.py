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


def ranking(
    first: tuple[str, pd.Index], second: tuple[str, Ids], found: np.ndarray, scores: np.ndarray
) -> pd.DataFrame:
    """Return a table of ranked lists: the columns ``first``, ``second``, rank and score.

    ``first``: name and ids of the lists [Q]; ``second``: name and ids of the rows ``found`` int32
    [Q, n], -1 where there are fewer.
    """
    valid = found >= 0
    ranks = np.broadcast_to(np.arange(1, found.shape[1] + 1), found.shape)
    lists = np.repeat(np.arange(len(found)), valid.sum(axis=1))
    return pd.DataFrame(
        {
            first[0]: first[1].take(lists),
            second[0]: second[1].at(found[valid]),
            "rank": ranks[valid],
            "score": scores[valid],
        }
    )
