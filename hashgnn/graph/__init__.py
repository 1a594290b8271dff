"""The bipartite interaction graph, neighbor sampling on it, and its spectral embeddings.

Each distinct node of a batch draws its neighbors once per layer. The blocks follow the layer-wise
scheme of GraphSAGE (Hamilton et al. 2017, Algorithm 2).

Spectral embeddings are singular vectors of the normalized interaction matrix, by SciPy:

    D_u^-1/2 X D_i^-1/2 ~ U S V',  users U S^1/2, items V S^1/2

D holds the degrees. Nodes that are close in the graph, over any number of hops, have similar rows
(Shen et al. 2021, How Powerful is Graph Convolution for Recommendation?, CIKM, section 3).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import svds

from hashgnn.data.interactions import Csr
from hashgnn.kernels import mix, njit
from hashgnn.random import GOLDEN


class Graph(NamedTuple):
    """An undirected bipartite graph in CSR form.

    Nodes 0 .. n_users - 1 are users, n_users .. n_nodes - 1 items. The neighbors of each node are
    given by ``indptr`` int64 [n_nodes + 1] and ``indices`` int32 [edges]. A node without
    interactions is its own neighbor, so that it is encoded from itself alone. ``features`` has the
    hashed features of each node, uint64, if there are any.
    """

    indptr: np.ndarray
    indices: np.ndarray
    n_users: int
    features: Csr | None = None

    @property
    def n_nodes(self) -> int:
        """Return the number of users and items together."""
        return len(self.indptr) - 1

    def isolated(self) -> np.ndarray:
        """Return which nodes have no interactions: bool [n_nodes]."""
        return self.indices[self.indptr[:-1]] == np.arange(self.n_nodes)


def bipartite_graph(interactions: Csr, n_items: int) -> Graph:
    """Return the graph of ``interactions`` (a row per user), with edges in both directions."""
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


def interaction_matrix(
    interactions: Csr, n_items: int, weight: np.ndarray | None = None
) -> csr_matrix:
    """Return the matrix float32 [users, items] that is 1 where there is an interaction.

    ``weight`` [interactions]: the values in place of 1.
    """
    indptr, indices = interactions
    values = np.ones(len(indices)) if weight is None else weight
    shape = len(indptr) - 1, n_items
    return csr_matrix((values.astype(np.float32), indices, indptr), shape=shape)


class Block(NamedTuple):
    """The inputs of one layer: ``targets`` [T] and their ``neighbors`` [T, fanout].

    Both are int32 row numbers of the layer's input matrix.
    """

    targets: np.ndarray
    neighbors: np.ndarray


class NeighborSampler:
    """Samples the blocks of a batch from a graph, with replacement.

    ``fanouts`` are the neighbors per node at each hop, nearest first: (10, 5) draws 10 neighbors of
    each target and 5 of each of those. ``share``: see ``draw_neighbors``.
    """

    def __init__(self, graph: Graph, fanouts: Sequence[int], share: float = 1.0) -> None:
        self.graph = graph
        self.fanouts = tuple(fanouts)
        self.share = share
        self._place = np.full(graph.n_nodes, -1, dtype=np.int32)

    def distinct(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the distinct ``nodes`` in order of appearance, and the place of each node."""
        return _distinct(nodes.ravel(), self._place)

    def blocks(self, targets: np.ndarray, seed: int) -> list[Block]:
        """Return the blocks from the first layer to the last, for distinct ``targets`` int32 [T].

        The first block reads rows of the embedding table (node ids). Each later one reads rows
        that the block before it produced, of which the first T are the targets themselves.
        """
        blocks: list[Block] = []
        for hop in range(len(self.fanouts) - 1):
            block, targets = self._hop(targets, hop, seed)
            blocks.append(block)
        last = len(self.fanouts) - 1
        blocks.append(Block(targets, self._draw(targets, last, seed)))
        return blocks[::-1]

    def local_blocks(self, targets: np.ndarray, seed: int) -> tuple[list[Block], np.ndarray]:
        """Return ``blocks`` whose first reads rows of a list of distinct nodes, and that list."""
        blocks: list[Block] = []
        for hop in range(len(self.fanouts)):
            block, targets = self._hop(targets, hop, seed)
            blocks.append(block)
        return blocks[::-1], targets

    def _hop(self, targets: np.ndarray, hop: int, seed: int) -> tuple[Block, np.ndarray]:
        """Return the block that ends at ``targets``, and the distinct nodes whose rows it reads."""
        drawn, count = self._draw(targets, hop, seed), len(targets)
        sources, places = self.distinct(np.concatenate([targets, drawn.ravel()]))
        local = places[count:].reshape(drawn.shape)
        return Block(np.arange(count, dtype=np.int32), local), sources

    def _draw(self, targets: np.ndarray, hop: int, seed: int) -> np.ndarray:
        graph, fanout = self.graph, self.fanouts[hop]
        return draw_neighbors(graph.indptr, graph.indices, targets, fanout, seed + hop, self.share)


@njit(cache=True)
def draw_neighbors(
    indptr: np.ndarray,
    indices: np.ndarray,
    nodes: np.ndarray,
    fanout: int,
    seed: int,
    share: float,
) -> np.ndarray:
    """Draw ``fanout`` neighbors of each node, uniformly with replacement: int32 [nodes, fanout].

    With a ``share`` below 1 a node of degree d has ceil(share d) draws at most, which are repeated
    in turn. The draws of a node depend on ``seed`` and the node alone.
    """
    drawn = np.empty((len(nodes), fanout), dtype=np.int32)
    key = mix(np.uint64(seed) + GOLDEN)
    for row in range(len(nodes)):
        start = indptr[nodes[row]]
        degree = np.uint64(indptr[nodes[row] + 1] - start)
        state = mix((key ^ np.uint64(nodes[row])) + GOLDEN)
        own = fanout
        if share < 1.0:
            own = min(fanout, int(np.ceil(share * degree)))
        for k in range(own):
            state = mix(state + GOLDEN)
            # Multiply-shift on the high 32 bits: a bias below 2^-32, and no division.
            choice = ((state >> np.uint64(32)) * degree) >> np.uint64(32)
            drawn[row, k] = indices[start + np.int64(choice)]
        for k in range(own, fanout):
            drawn[row, k] = drawn[row, k - own]
    return drawn


@njit(cache=True)
def _distinct(nodes: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find distinct nodes; ``place`` is scratch space, -1 for every node before and after."""
    found = np.empty(min(len(nodes), len(place)), dtype=np.int32)
    places = np.empty(len(nodes), dtype=np.int32)
    count = 0
    for row in range(len(nodes)):
        node = nodes[row]
        if place[node] < 0:
            place[node] = count
            found[count] = node
            count += 1
        places[row] = place[node]
    for row in range(count):
        place[found[row]] = -1
    return found[:count].copy(), places


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
