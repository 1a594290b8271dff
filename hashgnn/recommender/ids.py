"""From the users' own ids to rows of the model, and back."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa

from hashgnn.errors import InputError, shown

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
