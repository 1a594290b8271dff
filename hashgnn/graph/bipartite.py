"""The interaction graph: nodes, and training interactions as edges or a matrix."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from hashgnn.data.interactions import Csr


class Graph(NamedTuple):
    """Undirected bipartite graph in CSR form.

    Nodes 0 .. n_users-1 are users, n_users .. n_nodes-1 items. ``indptr`` int64 [n_nodes + 1],
    ``indices`` int32 [edges]: the neighbors of each node. A node without interactions is its own
    neighbor, so that it is encoded from itself alone.
    """

    indptr: np.ndarray
    indices: np.ndarray
    n_users: int

    @property
    def n_nodes(self) -> int:
        """Users and items together."""
        return len(self.indptr) - 1


def bipartite_graph(interactions: Csr, n_items: int) -> Graph:
    """Both directions of ``interactions`` (user rows, item columns) as one graph."""
    n_users = len(interactions.indptr) - 1
    users = np.repeat(np.arange(n_users, dtype=np.int32), np.diff(interactions.indptr))
    by_item = np.argsort(interactions.indices, kind="stable")
    degrees = np.concatenate(
        [np.diff(interactions.indptr), np.bincount(interactions.indices, minlength=n_items)]
    )
    indices = np.concatenate([interactions.indices + np.int32(n_users), users[by_item]])
    return Graph(*_with_self_loops(degrees, indices), n_users)


def _with_self_loops(degrees: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    isolated = np.flatnonzero(degrees == 0)
    offsets = np.concatenate([[0], np.cumsum(degrees)])
    filled = np.insert(indices, offsets[isolated], isolated.astype(np.int32))
    indptr = np.concatenate([[0], np.cumsum(np.maximum(degrees, 1))]).astype(np.int64)
    return indptr, filled.astype(np.int32)


def interaction_matrix(interactions: Csr, n_items: int) -> csr_matrix:
    """Float32 [users, items], 1 where there is an interaction."""
    indptr, indices = interactions
    ones = np.ones(len(indices), dtype=np.float32)
    return csr_matrix((ones, indices, indptr), shape=(len(indptr) - 1, n_items))
