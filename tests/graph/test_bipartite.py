import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.graph.bipartite import bipartite_graph


def test_both_directions_and_self_loops_for_the_isolated() -> None:
    # Users 0, 1, 2 and items a, b, c (nodes 3, 4, 5): 0-a, 0-c, 2-a; user 1 and item b are alone.
    interactions = Csr(np.array([0, 2, 2, 3]), np.array([0, 2, 0], dtype=np.int32))

    graph = bipartite_graph(interactions, n_items=3)

    neighbors = [
        graph.indices[start:stop].tolist()
        for start, stop in zip(graph.indptr[:-1], graph.indptr[1:], strict=True)
    ]
    assert neighbors == [[3, 5], [1], [3], [0, 2], [4], [0]]
    assert graph.n_users == 3
    assert graph.indices.dtype == np.int32
