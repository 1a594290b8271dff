"""Interactions as a program has them: a data frame, a pair of sequences, a sparse matrix."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

from hashgnn.data.ids import id_keys, number_ids
from hashgnn.data.interactions import Interactions
from hashgnn.data.pairs import Pairs, unique_pairs
from hashgnn.data.tabular.values import ids
from hashgnn.errors import InputError
from hashgnn.recommender.ids import Ids


class Given(NamedTuple):
    """Interactions by number, and the ids behind the numbers."""

    interactions: Interactions
    users: Ids
    items: Ids


def take(interactions: Any, user: str = "user", item: str = "item") -> Given:
    """Number the users and items of ``interactions``; repeats of a pair count once.

    A data frame with columns ``user`` and ``item``; a pair of sequences of equal length, users
    first; or a scipy sparse matrix of users by items, whose row and column numbers are the ids and
    whose stored values other than 0 are the interactions. Ids are text or integers. ``InputError``
    says what else was given.
    """
    columns = [_column(values) for values in _pair(interactions, user, item)]
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
    if isinstance(interactions, pd.DataFrame):
        if missing := [name for name in (user, item) if name not in interactions]:
            there = ", ".join(map(str, interactions.columns))
            raise InputError(f"no column {missing[0]!r}; there are: {there}")
        return interactions[user], interactions[item]
    if sparse.issparse(interactions):
        entries = interactions.tocoo()
        stored = entries.data != 0
        return entries.row[stored], entries.col[stored]
    try:
        users, items = interactions
    except (TypeError, ValueError) as error:
        raise InputError(
            f"interactions are {type(interactions).__name__}; give a data frame with the columns "
            f"{user} and {item}, a pair (users, items), or a scipy sparse matrix"
        ) from error
    return users, items


def _column(values: Any) -> pa.Array:
    if isinstance(values, pd.Series):
        values = values.array
    elif not isinstance(values, np.ndarray):
        values = list(values)
    try:
        column = pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(f"ids must be all text or all integers ({error})") from error
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _locate(row: int) -> str:
    return f"interactions, row {row}"
