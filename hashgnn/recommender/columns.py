"""Columns of ids: found by name in whatever has names, and brought into Arrow's types."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow.interchange import from_dataframe

from hashgnn.errors import InputError, did_you_mean

_LISTED = 20  # names in a message
_FORMS = "a sequence of text, integers or UUIDs"


def named_columns(table: Any, user: Hashable, item: Hashable) -> tuple[Any, Any] | None:
    """The columns ``user`` and ``item`` of ``table``; None if it has no names.

    ``InputError`` unless there is one of each.
    """
    found = _by_place(table)
    if found is None:
        return None
    names, at = found
    if user == item:
        raise InputError(f"user and item are both the column {user!r}; name two")
    return at(_place(names, user)), at(_place(names, item))


def _by_place(table: Any) -> tuple[Sequence[Hashable], Callable[[int], Any]] | None:
    """The names of columns, and how to get at one by its place."""
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
        reason = f"interactions are {type(table).__name__}, no table that can be read ({error})"
        raise InputError(" ".join(reason.split())) from error


def _speaks_arrow(values: Any) -> bool:
    return hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__")


def _place(names: Sequence[Hashable], wanted: Hashable) -> int:
    places = [place for place, name in enumerate(names) if name == wanted]
    if len(places) == 1:
        return places[0]
    there = ", ".join(map(str, names[:_LISTED])) + (", …" if len(names) > _LISTED else "")
    problem = f"{len(places)} columns" if places else "no column"
    nearest = "" if places else did_you_mean(wanted, map(str, names[:_LISTED]))
    raise InputError(f"{problem} {wanted!r}; there are: {there}{nearest}")


def column(values: Any, role: str) -> pa.Array:
    """``values`` as Arrow's text or integers; floats and null are left to who knows the rows.

    ``InputError`` for what holds no ids.
    """
    try:
        found = _array(_sequence(values, role))
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


def _sequence(values: Any, role: str) -> Any:
    """``values`` as Arrow takes them."""
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


def _array(values: Any) -> pa.Array:
    """Of the type that Arrow chooses, or of one that it does not think of."""
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
    """``values`` as plain text where that is what they mean."""
    if pa.types.is_dictionary(values.type):
        return _plain(values.dictionary).take(values.indices)
    if getattr(values.type, "extension_name", "") == "arrow.uuid":
        return pa.array([id_ and str(id_) for id_ in values.to_pylist()], pa.string())
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        return values.cast(pa.string())
    return values
