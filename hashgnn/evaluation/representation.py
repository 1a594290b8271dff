"""What is searched: codes and vectors."""

from typing import NamedTuple

import numpy as np


class Encoded(NamedTuple):
    """Users or items as a method encodes them, in order of index; None for what it lacks."""

    codes: np.ndarray | None  # uint8 [rows, bytes]
    vectors: np.ndarray | None  # float32 [rows, d]

    def rows(self, chosen: np.ndarray) -> "Encoded":
        """Only the rows ``chosen`` (indices)."""
        return Encoded(*(None if array is None else array[chosen] for array in self))
