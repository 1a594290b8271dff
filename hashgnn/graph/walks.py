"""Random walks over the one-mode projections of the graph, and MinHash buckets of its nodes.

The projection of one side of a bipartite graph joins two nodes with the number of neighbors they
share as weight. It is not built: a step goes to a neighbor on the other side and back.
MinHash: Broder (1997), On the Resemblance and Containment of Documents.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse.linalg import svds

from hashgnn.data.interactions import Csr
from hashgnn.graph.bipartite import interaction_matrix
from hashgnn.kernels import mix, njit
from hashgnn.random import GOLDEN


def buckets(neighbors: Csr, bands: int, rows: int, seed: int) -> np.ndarray:
    """Return the MinHash bucket of each node in each band: uint64 [nodes, bands].

    Two nodes whose neighborhoods have the Jaccard similarity s share the bucket of a band with
    probability s^``rows``. All nodes without neighbors share one bucket.
    """
    return _buckets(*neighbors, bands, rows, seed)


@njit(cache=True)
def _buckets(
    indptr: np.ndarray, indices: np.ndarray, bands: int, rows: int, seed: int
) -> np.ndarray:
    found = np.zeros((len(indptr) - 1, bands), dtype=np.uint64)
    for number in range(bands * rows):
        key = mix(np.uint64(seed) * GOLDEN + np.uint64(number + 1))
        for node in range(len(indptr) - 1):
            least = np.uint64(0xFFFFFFFFFFFFFFFF)
            for place in range(indptr[node], indptr[node + 1]):
                least = min(least, mix(key ^ np.uint64(indices[place])))
            band = number // rows
            found[node, band] = mix(found[node, band] + least + np.uint64(number))
    return found


class Walks(NamedTuple):
    """Concatenated walks: walk w is ``nodes[starts[w]:starts[w + 1]]``."""

    nodes: np.ndarray  # int32
    starts: np.ndarray  # int64 [walks + 1]


def centralities(train: Csr, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the HITS centralities of users and of items, each scaled to 0 .. 1 (float64).

    On a bipartite graph these are the principal singular vectors of the interaction matrix
    (Kleinberg 1999). They are 0 where all nodes of a side are equally central.
    """
    matrix = interaction_matrix(train, n_items).astype(np.float64)
    users, _, items = svds(matrix, k=1, random_state=0)
    return _scaled(np.abs(users[:, 0])), _scaled(np.abs(items[0]))


def _scaled(values: np.ndarray) -> np.ndarray:
    values = values - values.min()
    return values / values.max() if values.max() > 1e-9 else np.zeros_like(values)


def walks_per_node(centrality: np.ndarray, least: int, most: int) -> np.ndarray:
    """Return max(``least``, ceil(``most`` * centrality)) as int64: Algorithm 1 of BiNE."""
    return np.maximum(np.ceil(most * centrality), least).astype(np.int64)


def walk(here: Csr, there: Csr, n_walks: np.ndarray, stop: float, seed: int) -> Walks:
    """Walk over the projection of one side of the graph.

    A step leads to another node with probability in proportion to the number of neighbors that
    both share.

    Args:
        here: The neighbors of the nodes of the side that is walked on.
        there: The neighbors of the nodes of the other side.
        n_walks: Walks to start from each node, [nodes].
        stop: Probability that a walk ends after a node. It also ends where no step is possible.
        seed: Seed of the walks.
    """
    shared = np.diff(there.indptr)[here.indices] - 1  # other nodes that each neighbor leads to
    reach = np.concatenate([[0], np.cumsum(shared)])
    return Walks(*_walk(*here, *there, reach, n_walks, stop, seed))


@njit(cache=True)
def _step(node, indptr, indices, other_indptr, other_indices, reach):  # type: ignore[no-untyped-def]
    """Draw a neighbor in proportion to its degree - 1, then another node of it; -1 if none."""
    first, last = reach[indptr[node]], reach[indptr[node + 1]]
    if first == last:
        return -1
    chosen = np.searchsorted(reach, first + np.random.randint(last - first), side="right") - 1
    start, stop = other_indptr[indices[chosen]], other_indptr[indices[chosen] + 1]
    while True:
        found = other_indices[start + np.random.randint(stop - start)]
        if found != node:
            return found


@njit(cache=True)
def _walk(
    indptr: np.ndarray,
    indices: np.ndarray,
    other_indptr: np.ndarray,
    other_indices: np.ndarray,
    reach: np.ndarray,
    n_walks: np.ndarray,
    stop: float,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    np.random.seed(seed)
    starts = np.zeros(n_walks.sum() + 1, dtype=np.int64)
    nodes = np.empty(max(1024, 8 * len(starts)), dtype=np.int32)
    length, number = 0, 0
    for start in range(len(n_walks)):
        for _ in range(n_walks[start]):
            node = start
            while node >= 0:
                if length == len(nodes):
                    nodes = np.concatenate((nodes, np.empty_like(nodes)))
                nodes[length] = node
                length += 1
                if np.random.random() < stop:
                    break
                node = _step(node, indptr, indices, other_indptr, other_indices, reach)
            number += 1
            starts[number] = length
    return nodes[:length].copy(), starts
