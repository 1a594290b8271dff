"""Neighbor sampling: each distinct node of a batch draws its neighbors once a layer.

The blocks follow the layer-wise scheme of GraphSAGE (Hamilton et al. 2017, Algorithm 2).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hashgnn.graph.bipartite import Graph
from hashgnn.kernels import njit


class Block(NamedTuple):
    """One layer's computation: ``targets`` [T] and their ``neighbors`` [T, fanout].

    Both hold int32 rows of the layer's input matrix.
    """

    targets: np.ndarray
    neighbors: np.ndarray


class NeighborSampler:
    """Draws the blocks of a batch, with replacement, from a graph.

    ``fanouts`` are neighbors a node by hop, nearest first: (10, 5) draws 10 neighbors of each
    target and 5 of each of those.
    """

    def __init__(self, graph: Graph, fanouts: Sequence[int]) -> None:
        self.graph = graph
        self.fanouts = tuple(fanouts)
        self._place = np.full(graph.n_nodes, -1, dtype=np.int32)

    def distinct(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distinct ``nodes`` in order of appearance, and the place of each node among them."""
        return _distinct(nodes.ravel(), self._place)

    def blocks(self, targets: np.ndarray, seed: int) -> list[Block]:
        """Blocks from the first layer to the last, for distinct ``targets`` [T] int32.

        The first reads rows of the embedding table (node ids), each later one the rows that
        the block before it produced, of which the first T are the targets themselves.
        """
        blocks: list[Block] = []
        for hop in range(len(self.fanouts) - 1):
            block, targets = self._hop(targets, hop, seed)
            blocks.append(block)
        last = len(self.fanouts) - 1
        blocks.append(Block(targets, self._draw(targets, last, seed)))
        return blocks[::-1]

    def local_blocks(self, targets: np.ndarray, seed: int) -> tuple[list[Block], np.ndarray]:
        """``blocks`` whose first reads rows of the distinct nodes int32 that come with them."""
        blocks: list[Block] = []
        for hop in range(len(self.fanouts)):
            block, targets = self._hop(targets, hop, seed)
            blocks.append(block)
        return blocks[::-1], targets

    def _hop(self, targets: np.ndarray, hop: int, seed: int) -> tuple[Block, np.ndarray]:
        """The block that ends at ``targets``, and the distinct nodes whose rows it reads."""
        drawn, count = self._draw(targets, hop, seed), len(targets)
        sources, places = self.distinct(np.concatenate([targets, drawn.ravel()]))
        local = places[count:].reshape(drawn.shape)
        return Block(np.arange(count, dtype=np.int32), local), sources

    def _draw(self, targets: np.ndarray, hop: int, seed: int) -> np.ndarray:
        graph = self.graph
        return draw_neighbors(graph.indptr, graph.indices, targets, self.fanouts[hop], seed + hop)


@njit(cache=True)
def _mix(state: np.uint64) -> np.uint64:
    """One output of SplitMix64 (Steele et al. 2014): a stateless, well mixed 64-bit hash."""
    state += np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@njit(cache=True)
def draw_neighbors(
    indptr: np.ndarray, indices: np.ndarray, nodes: np.ndarray, fanout: int, seed: int
) -> np.ndarray:
    """``fanout`` neighbors of each node, uniform with replacement: int32 [nodes, fanout].

    What a node draws depends on ``seed`` and the node alone.
    """
    drawn = np.empty((len(nodes), fanout), dtype=np.int32)
    key = _mix(np.uint64(seed))
    for row in range(len(nodes)):
        start = indptr[nodes[row]]
        degree = np.uint64(indptr[nodes[row] + 1] - start)
        state = _mix(key ^ np.uint64(nodes[row]))
        for k in range(fanout):
            state = _mix(state)
            # The high 32 bits times the degree, shifted down: unbiased to 2^-32 without a division.
            choice = ((state >> np.uint64(32)) * degree) >> np.uint64(32)
            drawn[row, k] = indices[start + np.int64(choice)]
    return drawn


@njit(cache=True)
def _distinct(nodes: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``place`` is scratch of one entry a node, all -1 before and after."""
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
