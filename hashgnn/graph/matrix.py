"""The training interactions as a matrix, for methods that factorize it."""

import numpy as np
from scipy.sparse import csr_matrix

from hashgnn.data.interactions import Csr


def interaction_matrix(interactions: Csr, n_items: int) -> csr_matrix:
    """Float32 [users, items], 1 where there is an interaction."""
    indptr, indices = interactions
    ones = np.ones(len(indices), dtype=np.float32)
    return csr_matrix((ones, indices, indptr), shape=(len(indptr) - 1, n_items))
