"""Small random bipartite graphs, and their edges as PyTorch Geometric takes them."""

import numpy as np
import torch
from torch import Tensor

from hashgnn.graph import Graph


def random_graph(seed: int) -> Graph:
    """A bipartite graph of 3 to 12 users and items each, some of them isolated.

    As in training, a node without interactions is its own only neighbor.
    """
    rng = np.random.default_rng(seed)
    n_users, n_items = (int(n) for n in rng.integers(3, 13, 2))
    known = rng.random((n_users, n_items)) < 0.3
    known[rng.integers(n_users)] = False
    known[:, rng.integers(n_items)] = False
    lists = [n_users + np.flatnonzero(row) for row in known]
    lists += [np.flatnonzero(column) for column in known.T]
    lists = [found if len(found) else np.array([node]) for node, found in enumerate(lists)]
    indptr = np.concatenate([[0], np.cumsum([len(found) for found in lists])])
    return Graph(indptr, np.concatenate(lists).astype(np.int32), n_users)


def edges(graph: Graph) -> Tensor:
    """int64 [2, n_edges], from neighbor to node."""
    targets = np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr))
    return torch.from_numpy(np.stack([graph.indices.astype(np.int64), targets]))


def isolated(graph: Graph) -> np.ndarray:
    """Whether each node is its own only neighbor."""
    own = np.arange(graph.n_nodes)
    return (np.diff(graph.indptr) == 1) & (graph.indices[graph.indptr[:-1]] == own)
