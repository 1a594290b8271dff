"""Interactions and ids as a program has them: data frames, pairs, matrices; one id or many."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

from hashgnn.data.cells import ids
from hashgnn.data.ids import Pairs, id_keys, number_ids, unique_pairs
from hashgnn.data.interactions import Interactions
from hashgnn.errors import InputError, shown
from hashgnn.recommender.columns import column, named_columns

_SHOWN = 3
_INT64 = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Ids:
    """``text``: the id of each row. ``integer``: whether they were integers when they came."""

    text: pd.Index
    integer: bool = False

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.text)

    def rows(self, wanted: Hashable | Iterable[Hashable], kind: str) -> np.ndarray:
        """Rows int64 of the ids ``wanted``, one or several.

        One ``InputError`` for all that are not there.
        """
        texts = [_text(id_, kind) for id_ in _several(wanted, kind)]
        rows = self.text.get_indexer(pd.Index(texts, dtype="str"))
        unknown = [text for text, row in zip(texts, rows, strict=True) if row < 0]
        if unknown:
            more = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
            raise InputError(
                f"unknown {kind}: {', '.join(map(repr, unknown[:_SHOWN]))}{more}; the model knows "
                f"the {len(self):,} {kind}s that it was trained on, such as {str(self.text[0])!r}"
            )
        return rows

    def at(self, rows: np.ndarray) -> pd.Index:
        """The ids of ``rows``, as they came."""
        chosen = self.text.take(rows)
        return chosen.astype(self._integers) if self.integer else chosen

    @cached_property
    def _integers(self) -> type[np.integer]:
        """int64, or uint64 where one of the ids needs it: the same for all rows."""
        long = self.text[self.text.str.len() >= len(str(_INT64))]
        return np.uint64 if any(int(text) > _INT64 for text in long) else np.int64


def _several(wanted: Any, kind: str) -> Iterable[Any]:
    """``wanted`` one by one: text, though it can be taken apart, is one id."""
    if getattr(wanted, "ndim", 1) == 0:  # of NumPy, or of torch
        return [wanted.item()]
    if isinstance(wanted, str | bytes | bytearray) or not isinstance(wanted, Iterable):
        return [wanted]
    if isinstance(wanted, Mapping) or getattr(wanted, "ndim", 1) > 1:
        raise InputError(f"{kind}s are {type(wanted).__name__}; give one id, or a list of ids")
    return wanted


def _text(id_: Any, kind: str) -> str:
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


class Given(NamedTuple):
    """Interactions by number, and the ids behind the numbers."""

    interactions: Interactions
    users: Ids
    items: Ids


def take(interactions: Any, user: str = "user", item: str = "item") -> Given:
    """Number the users and items of ``interactions``; repeats of a pair count once.

    Anything with named columns, of which ``user`` and ``item`` are read: a data frame of pandas or
    polars, an Arrow table, a dict, whatever speaks Arrow's or the data frames' protocol; a tuple or
    list of two sequences of equal length, users first; or a scipy sparse matrix of users by items,
    whose row and column numbers are the ids and whose stored values other than 0 are the
    interactions. Ids are text, integers or UUIDs. ``InputError`` says what else was given.
    """
    pair = _pair(interactions, user, item)
    columns = [column(values, role) for values, role in zip(pair, (user, item), strict=True)]
    if len(columns[0]) != len(columns[1]):
        raise InputError(f"{len(columns[0])} users, but {len(columns[1])} items; give a pair a row")
    if not len(columns[0]):
        raise InputError("there are no interactions")
    texts = [ids(column, role, _locate) for column, role in zip(columns, (user, item), strict=True)]
    users, items = (number_ids([text]) for text in texts)
    pairs = unique_pairs(Pairs(users.numbers, items.numbers, None, None))
    known = [
        Ids(pd.Index(numbered.ids.to_pandas(), dtype="str"), pa.types.is_integer(column.type))
        for numbered, column in zip((users, items), columns, strict=True)
    ]
    keys = (id_keys(users.ids), id_keys(items.ids))
    n_users, n_items = map(len, known)
    return Given(Interactions(pairs.user, pairs.item, n_users, n_items, *keys), *known)


def _pair(interactions: Any, user: str, item: str) -> tuple[Any, Any]:
    if sparse.issparse(interactions):
        entries = interactions.tocsr().tocoo()  # sums what is stored twice
        stored = entries.data != 0
        if np.isnan(entries.data[stored]).any():
            raise InputError("interactions have NaN among their values; leave those out")
        return entries.row[stored], entries.col[stored]
    if named := named_columns(interactions, user, item):
        return named
    if isinstance(interactions, tuple | list) and len(interactions) == 2:
        users, items = interactions
        return users, items
    size = f" of {len(interactions)}" if isinstance(interactions, tuple | list) else ""
    raise InputError(
        f"interactions are {type(interactions).__name__}{size}; give a data frame with the columns "
        f"{user} and {item}, a pair (users, items), or a scipy sparse matrix"
    )


def _locate(row: int) -> str:
    return f"interactions, row {row}"
