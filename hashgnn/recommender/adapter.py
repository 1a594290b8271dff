"""Read interactions and histories in the forms that callers have them in.

These are data frames, mappings, pairs of sequences and sparse matrices.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow.interchange import from_dataframe

from hashgnn.data.delimited import ids, weights
from hashgnn.data.features import Features, Table, describe, make_table
from hashgnn.data.interactions import Interactions, Pairs, id_keys, number_ids, unique_pairs
from hashgnn.errors import InputError, did_you_mean
from hashgnn.recommender.queries import Ids, Unknown, listed, texts

_LISTED = 20  # column names in a message
_FORMS = "a sequence of text, integers or UUIDs"

Histories = dict[str, np.ndarray]  # int32 rows of items, ascending, by the user's id as text


class TrainingData(NamedTuple):
    """Interactions between numbered users and items, and the ids of the numbers.

    ``repeats``: rows of a table beyond the first of their user and item.
    """

    interactions: Interactions
    users: Ids
    items: Ids
    features: Features | None = None
    repeats: int = 0


def adapt(
    interactions: Any, user: str = "user", item: str = "item", weight: str | None = None
) -> TrainingData:
    """Number the users and items of ``interactions``; repeats of a pair count once.

    Ids are text, integers or UUIDs.

    Args:
        interactions: An object with named columns: a data frame of pandas or polars, an Arrow
            table, a dict, or anything that supports Arrow's or the data frames' protocol. Or a
            tuple or list of two sequences of equal length, users first. Or a scipy sparse matrix of
            users by items, whose row and column numbers are the ids and whose stored values other
            than 0 are the interactions.
        user: Name of the column of users.
        item: Name of the column of items.
        weight: Name of the column of weights, numbers above 0; those of repeats are added.

    Raises:
        InputError: ``interactions`` has another form, is empty, or holds invalid ids or weights.
    """
    pair = _pair(interactions, user, item)
    columns = [column(values, role) for values, role in zip(pair, (user, item), strict=True)]
    if len(columns[0]) != len(columns[1]):
        raise InputError(
            f"{len(columns[0])} users, but {len(columns[1])} items; expected equal numbers"
        )
    if not len(columns[0]):
        raise InputError("there are no interactions")
    texts = [ids(column, role, _locate) for column, role in zip(columns, (user, item), strict=True)]
    users, items = (number_ids([text]) for text in texts)
    given = None if weight is None else _weights(interactions, weight, len(users.numbers))
    pairs = unique_pairs(Pairs(users.numbers, items.numbers, None, None, given))
    user_ids, item_ids = (
        Ids(pd.Index(numbering.ids.to_pandas(), dtype="str"), pa.types.is_integer(column.type))
        for numbering, column in zip((users, items), columns, strict=True)
    )
    keys = (id_keys(users.ids), id_keys(items.ids))
    sizes = len(user_ids), len(item_ids)
    numbered = Interactions(pairs.user, pairs.item, *sizes, *keys, weight=pairs.weight)
    return TrainingData(numbered, user_ids, item_ids)


def feature_table(table: Any, kind: str, id_column: str) -> Table:
    """Return a table of features of users or items (``kind``), with the column ``id_column``.

    ``table``: an object with named columns, see ``adapt``.
    """
    where = f"{kind}_features"
    found = _by_place(table)
    if found is None:
        raise InputError(f"{where} are {type(table).__name__}; give a data frame")
    names, at = found
    columns = {}
    for place, name in enumerate(names):
        try:
            columns[str(name)] = _to_arrow(_to_sequence(at(place), str(name)))
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            reason = f"{where}: column {name!r} holds values of several types ({error})"
            raise InputError(" ".join(reason.split())) from error
    if len(columns) < len(names):
        raise InputError(f"{where}: columns of the same name; rename them")
    return make_table(kind, where, columns, id_column)


def with_features(data: TrainingData, tables: Sequence[Table]) -> TrainingData:
    """Add features, and the users and items that stand in their tables alone.

    Raises:
        InputError: A user or item of the interactions has no row in the table of its kind.
    """
    if not tables:
        return data
    users, items = data.users, data.items
    for table in tables:
        if table.kind == "user":
            users = _with_ids(users, table)
        else:
            items = _with_ids(items, table)
    old = data.interactions
    made = Interactions(
        users.text.get_indexer(data.users.text)[old.user].astype(np.int32),
        items.text.get_indexer(data.items.text)[old.item].astype(np.int32),
        len(users),
        len(items),
        id_keys(pa.array(users.text, pa.string())),
        id_keys(pa.array(items.text, pa.string())),
        old.time,
        weight=old.weight,
    )
    sides = {"user": users.text.tolist(), "item": items.text.tolist()}
    features = describe(sides, {table.kind: table for table in tables})
    return TrainingData(made, users, items, features)


def _with_ids(known: Ids, table: Table) -> Ids:
    """Return the ids with those of ``table``, in the order of ``number_ids``."""
    names = set(table.ids.to_pylist()) - set(known.text)
    check_integers(known, names, table)
    return Ids(pd.Index(sorted({*known.text, *names}), dtype="str"), known.integer)


def check_integers(known: Ids, names: Iterable[str], table: Table) -> None:
    """Raise ``InputError`` for names that are no integers if the known ids are."""
    if known.integer and (odd := [name for name in names if not name.lstrip("-").isdecimal()]):
        raise InputError(
            f"{table.where}: {table.kind} {odd[0]!r}: expected an integer, as all {table.kind}s of "
            "the interactions are"
        )


def _pair(interactions: Any, user: str, item: str) -> tuple[Any, Any]:
    if hasattr(interactions, "tocsr"):  # of scipy, which need not be installed
        entries = interactions.tocsr().tocoo()  # sums entries that are stored twice
        stored = entries.data != 0
        if np.isnan(entries.data[stored]).any():
            raise InputError("interactions hold NaN values; remove them")
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


def _weights(table: Any, name: str, rows: int) -> np.ndarray:
    """Return the column ``name`` of a table: float64 [rows]."""
    found = _by_place(table)
    if found is None:
        raise InputError(
            f"weight: names a column, but interactions are {type(table).__name__}; give a data "
            "frame"
        )
    names, at = found
    try:
        values = _to_arrow(_to_sequence(at(_place(names, name)), "weight"))
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        reason = f"weight: expected numbers ({error})"
        raise InputError(" ".join(reason.split())) from error
    if len(values) != rows:
        raise InputError(f"{rows} users, but {len(values)} weights; expected equal numbers")
    return weights(values, _locate)


def _locate(row: int) -> str:
    return f"interactions, row {row}"


def named_columns(table: Any, user: Hashable, item: Hashable) -> tuple[Any, Any] | None:
    """Return the columns ``user`` and ``item`` of ``table``; None if it has no named columns.

    Raises ``InputError`` unless there is exactly one of each.
    """
    found = _by_place(table)
    if found is None:
        return None
    names, at = found
    if user == item:
        raise InputError(f"user and item are both the column {user!r}; name two different columns")
    return at(_place(names, user)), at(_place(names, item))


def _by_place(table: Any) -> tuple[Sequence[Hashable], Callable[[int], Any]] | None:
    """Return the names of the columns, and a function that returns the column at a place."""
    if isinstance(table, pd.DataFrame):
        return list(table.columns), lambda place: table.iloc[:, place]
    if isinstance(table, Mapping):
        keys = list(table)
        return keys, lambda place: table[keys[place]]
    if isinstance(table, np.ndarray) and (fields := table.dtype.names):
        return fields, lambda place: table[fields[place]]
    if isinstance(table, tuple) and hasattr(table, "_fields"):  # a named tuple
        return table._fields, table.__getitem__
    arrow = _arrow_table(table)
    return None if arrow is None else (arrow.column_names, arrow.column)


def _arrow_table(table: Any) -> pa.Table | None:
    try:
        if _speaks_arrow(table):
            return pa.table(table)
        return pa.table(from_dataframe(table)) if hasattr(table, "__dataframe__") else None
    except (pa.ArrowException, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        reason = f"cannot read interactions of type {type(table).__name__} as a table ({error})"
        raise InputError(" ".join(reason.split())) from error


def _speaks_arrow(values: Any) -> bool:
    return hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__")


def _place(names: Sequence[Hashable], column: Hashable) -> int:
    places = [place for place, name in enumerate(names) if name == column]
    if len(places) == 1:
        return places[0]
    existing = ", ".join(map(str, names[:_LISTED])) + (", …" if len(names) > _LISTED else "")
    problem = f"{len(places)} columns" if places else "no column"
    nearest = "" if places else did_you_mean(column, map(str, names[:_LISTED]))
    raise InputError(f"{problem} {column!r}; there are: {existing}{nearest}")


def column(values: Any, role: str) -> pa.Array:
    """Return ids as an Arrow array of text or integers.

    Floats and nulls are passed through: the reader of ids reports them with their rows. Raises
    ``InputError`` for other types.
    """
    try:
        found = _to_arrow(_to_sequence(values, role))
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        reason = f"{role}: ids must be all text, all integers or all UUIDs ({error})"
        raise InputError(" ".join(reason.split())) from error
    kinds = (pa.types.is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_null)
    if not any(is_kind(found.type) for is_kind in kinds):
        raise InputError(
            f"interactions, row 0: the {role} ids are {found.type}; give {_FORMS} (bytes decoded "
            "to text, or as UUIDs)"
        )
    return found


def _to_sequence(values: Any, role: str) -> Any:
    """Return ``values`` in a form that Arrow reads."""
    if isinstance(values, pd.Series):
        return values.array
    unfit = isinstance(values, str | bytes | Mapping | set | frozenset) or not isinstance(
        values, Iterable
    )
    if unfit or getattr(values, "ndim", 1) != 1:
        raise InputError(f"the {role} ids are {type(values).__name__}; give {_FORMS}")
    if _speaks_arrow(values) or isinstance(values, np.ndarray):
        return values
    return values.tolist() if hasattr(values, "tolist") else list(values)


def _to_arrow(values: Any) -> pa.Array:
    """Convert to the type that Arrow infers, or to uint64 or UUIDs as text, which it does not."""
    if hasattr(values, "__arrow_c_stream__"):
        return _whole(pa.chunked_array(values))
    try:
        made = pa.array(values, from_pandas=True)
    except OverflowError:
        made = pa.array(values, pa.uint64(), from_pandas=True)
    except pa.ArrowException:
        texts = [str(value) if isinstance(value, UUID) else value for value in values]
        made = pa.array(texts, from_pandas=True)
    return _whole(made) if isinstance(made, pa.ChunkedArray) else _plain(made)


def _whole(chunked: pa.ChunkedArray) -> pa.Array:
    chunks = [_plain(chunk) for chunk in chunked.chunks]
    return pa.concat_arrays(chunks) if chunks else pa.nulls(0)


def _plain(values: pa.Array) -> pa.Array:
    """Convert dictionaries, UUIDs and other kinds of text to plain text."""
    if pa.types.is_dictionary(values.type):
        return _plain(values.dictionary).take(values.indices)
    if getattr(values.type, "extension_name", "") == "arrow.uuid":
        return pa.array([id_ and str(id_) for id_ in values.to_pylist()], pa.string())
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        return values.cast(pa.string())
    return values


def read_histories(given: Any, items: Ids, unknown: Unknown) -> Histories:
    """Read a mapping from users to lists of items, or a table with the columns user and item.

    Unknown items are left out unless they are an error; so are empty histories.

    Raises:
        InputError: ``given`` has another form, or a history is empty or has unknown items and these
            are errors.
    """
    try:
        if isinstance(given, Mapping):
            named = {texts(user, "user")[0]: texts(own, "item") for user, own in given.items()}
        else:
            named = _histories_of_table(given)
        if unknown == "error" and (empty := [user for user, own in named.items() if not own]):
            raise InputError(f"empty for user {listed(empty)}; give each user an item or more")
        return _rows_of_items(named, items, unknown)
    except InputError as error:
        raise InputError(f"histories: {error}") from error


def _histories_of_table(table: Any) -> dict[str, list[str]]:
    pair = named_columns(table, "user", "item")
    if pair is None:
        raise InputError(
            f"found {type(table).__name__}, expected a mapping from users to lists of items, or a "
            "table with the columns user and item"
        )
    users, items = (
        ids(column(values, role), role, lambda row: f"row {row}").to_pylist()
        for values, role in zip(pair, ("user", "item"), strict=True)
    )
    named: dict[str, list[str]] = {}
    for user, item in zip(users, items, strict=True):
        named.setdefault(user, []).append(item)
    return named


def _rows_of_items(named: Mapping[str, list[str]], items: Ids, unknown: Unknown) -> Histories:
    """Return the rows of all lists, which are looked up together."""
    every = [item for own in named.values() for item in own]
    rows = items.find(every, "item", unknown).astype(np.int32)
    ends = np.cumsum([0, *(len(own) for own in named.values())])
    return {
        user: np.unique(found[found >= 0])
        for user, found in zip(named, np.split(rows, ends[1:-1]), strict=True)
    }
