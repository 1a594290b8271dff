"""Helpers that tests of several rooms share."""

import numpy as np

from hashgnn.data.interactions import Csr


def csr_of(*rows: list[int]) -> Csr:
    """Rows of a sparse 0/1 matrix, each given by its column indices."""
    indptr = np.cumsum([0, *map(len, rows)])
    return Csr(indptr, np.array([column for row in rows for column in row], dtype=np.int32))
