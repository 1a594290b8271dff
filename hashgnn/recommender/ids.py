"""From the users' own ids to rows of the model, and back."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hashgnn.errors import InputError

_SHOWN = 3


@dataclass(frozen=True)
class Ids:
    """``text``: the id of each row. ``integer``: whether they were integers when they came."""

    text: pd.Index
    integer: bool = False

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.text)

    def rows(self, wanted: Iterable[Hashable], kind: str) -> np.ndarray:
        """Rows int64 of the ids ``wanted``; one ``InputError`` for all that are not there."""
        texts = [str(id_) for id_ in wanted]
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
        return chosen.astype(np.int64) if self.integer else chosen
