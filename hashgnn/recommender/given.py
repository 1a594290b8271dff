"""Interactions as a program has them: named columns, a pair of sequences, a sparse matrix."""

from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
from scipy import sparse

from hashgnn.data.ids import id_keys, number_ids
from hashgnn.data.interactions import Interactions
from hashgnn.data.pairs import Pairs, unique_pairs
from hashgnn.data.tabular.values import ids
from hashgnn.errors import InputError
from hashgnn.recommender.columns import column, named_columns
from hashgnn.recommender.ids import Ids


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
        entries = interactions.tocoo()
        stored = entries.data != 0
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
