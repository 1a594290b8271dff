"""Spectral embeddings of users and items: singular vectors of the normalized interaction matrix.

    D_u^-1/2 X D_i^-1/2 ~ U S V',  users U S^1/2, items V S^1/2

D holds the degrees. Nodes that are close in the graph, over any number of hops, have similar rows
(Shen et al. 2021, How Powerful is Graph Convolution for Recommendation?, CIKM, section 3). SciPy
computes the decomposition.
"""

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import svds

from hashgnn.graph import Graph


def normalized(interactions: csr_matrix) -> csr_matrix:
    """Return D_u^-1/2 X D_i^-1/2; rows and columns without an interaction stay 0."""
    degrees = (np.asarray(interactions.sum(axis=axis)).ravel() for axis in (1, 0))
    by_users, by_items = (diags(1 / np.sqrt(np.maximum(d, 1.0))) for d in degrees)
    return csr_matrix(by_users @ interactions @ by_items)


def spectral_embeddings(graph: Graph, width: int) -> np.ndarray:
    """Return the leading singular vectors of all nodes, float32 [n_nodes, width].

    The values of users, and those of items, have a root mean square of 1 over the columns that can
    be computed: one less than there are users or items, whichever are fewer. The other columns are
    0, as are nodes without interactions.
    """
    n_users, n_items = graph.n_users, graph.n_nodes - graph.n_users
    matrix = normalized(_interactions(graph)).astype(np.float32)
    embeddings = np.zeros((graph.n_nodes, width), dtype=np.float32)
    rank = min(width, n_users - 1, n_items - 1)
    if rank < 1 or not matrix.nnz:
        return embeddings
    users, strengths, items = svds(matrix, k=rank, random_state=0)
    for rows, vectors in ((slice(n_users), users), (slice(n_users, None), items.T)):
        scaled = vectors * np.sqrt(strengths)
        embeddings[rows, :rank] = (scaled / np.sqrt(np.mean(scaled**2)))[:, ::-1]
    return embeddings


def _interactions(graph: Graph) -> csr_matrix:
    """Return the matrix float64 [users, items] of the edges between users and items."""
    n_users, shape = graph.n_users, (graph.n_users, graph.n_nodes - graph.n_users)
    indptr = graph.indptr[: n_users + 1]
    rows = np.repeat(np.arange(n_users), np.diff(indptr))
    columns = graph.indices[: indptr[-1]].astype(np.int64) - n_users
    between = columns >= 0  # not the self-loop of a user without interactions
    ones = np.ones(int(between.sum()))
    return csr_matrix((ones, (rows[between], columns[between])), shape=shape)
