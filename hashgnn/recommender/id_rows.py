"""The ids of users or items by row, and the rows of ids that a caller names."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa

from hashgnn.errors import InputError, shown

# What to do with unknown ids: raise an error, leave them out, or recommend popular items.
Unknown = Literal["error", "skip", "popular"]

_MAX_SHOWN = 3  # unknown ids in a message
_INT64_MAX = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Ids:
    """The ids of users or items by row.

    ``text``: the ids as text. ``integer``: whether they were given as integers, as which they are
    then returned.
    """

    text: pd.Index
    integer: bool = False

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.text)

    def rows(self, ids: Hashable | Iterable[Hashable], kind: str) -> np.ndarray:
        """Return the rows int64 of one or several ids.

        ``kind`` (user or item) is used in messages. Raises one ``InputError`` for all unknown ids.
        """
        return self.find(texts(ids, kind), kind, "error")

    def find(self, names: Sequence[str], kind: str, unknown: Unknown) -> np.ndarray:
        """Return the rows int64 of ids as text; -1 for unknown ones if these are no error."""
        rows = self.text.get_indexer(_index(names))
        missing = [text for text, row in zip(names, rows, strict=True) if row < 0]
        if missing and unknown == "error":
            raise InputError(
                f"unknown {kind}: {listed(missing)}; the model knows the {len(self):,} {kind}s "
                f"that it was trained on, such as {str(self.text[0])!r}"
            )
        return rows

    def at(self, rows: np.ndarray) -> pd.Index:
        """Return the ids of ``rows``, as text or integers."""
        chosen = self.text.take(rows)
        return chosen.astype(self._integer_type) if self.integer else chosen

    def labels(self, names: Sequence[str]) -> pd.Index:
        """Return ids as the model writes them, unknown ones too: what is no integer as text."""
        if not self.integer:
            return _index(names)
        typed = [int(name) if _is_integer(name) else name for name in names]
        try:
            return pd.Index(np.array(typed, dtype=self._integer_type))
        except (OverflowError, ValueError):
            return pd.Index(np.array(typed, dtype=object))

    @cached_property
    def _integer_type(self) -> type[np.integer]:
        """Return uint64 if one of the ids needs it, else int64."""
        long = self.text[self.text.str.len() >= len(str(_INT64_MAX))]
        return np.uint64 if any(int(text) > _INT64_MAX for text in long) else np.int64


def _index(names: Sequence[str]) -> pd.Index:
    return pd.Index(np.array(names, dtype=object), dtype="str")


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and str(int(text)) == text


def listed(names: Sequence[str]) -> str:
    """Return the first of ``names`` and the number of the others, for a message."""
    more = f" and {len(names) - _MAX_SHOWN:,} more" if len(names) > _MAX_SHOWN else ""
    return f"{', '.join(map(repr, names[:_MAX_SHOWN]))}{more}"


def texts(ids: Any, kind: str) -> list[str]:
    """Return one or several ids as text; raise ``InputError`` for what is no id."""
    return [_id_text(id_, kind) for id_ in _as_several(ids, kind)]


def _as_several(ids: Any, kind: str) -> Iterable[Any]:
    """Return an iterable of ids; a single id, such as a text, becomes a list of one."""
    if getattr(ids, "ndim", 1) == 0:  # a scalar of NumPy or torch
        return [ids.item()]
    if isinstance(ids, str | bytes | bytearray) or not isinstance(ids, Iterable):
        return [ids]
    if isinstance(ids, Mapping) or getattr(ids, "ndim", 1) > 1:
        raise InputError(f"{kind}s are {type(ids).__name__}; give one id, or a list of ids")
    return ids


def _id_text(id_: Any, kind: str) -> str:
    if isinstance(id_, pa.Scalar):
        id_ = id_.as_py()
    if isinstance(id_, str):
        if not id_.isascii() and any("\ud800" <= letter <= "\udfff" for letter in id_):
            raise InputError(f"{kind} {id_!a}: not valid Unicode; give text in UTF-8")
        return id_
    if isinstance(id_, int | np.integer) and not isinstance(id_, bool):
        return str(int(id_))
    if isinstance(id_, UUID):
        return str(id_)
    raise InputError(
        f"{kind} {shown(id_)} is {type(id_).__name__}; ids are text, integers or UUIDs"
    )
