"""The graph of interactions, the neighbors sampled from it, and its spectral embeddings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from hashgnn.data.interactions import Csr
from hashgnn.graph import (
    Graph,
    NeighborSampler,
    bipartite_graph,
    draw_neighbors,
    normalized,
    spectral_embeddings,
)


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


def random_graph(seed: int, n_users: int = 7, n_items: int = 9) -> Graph:
    links = np.random.default_rng(seed).random((n_users, n_items)) < 0.4
    indptr = np.concatenate([[0], np.cumsum(links.sum(1))]).astype(np.int64)
    return bipartite_graph(Csr(indptr, np.nonzero(links)[1].astype(np.int32)), n_items)


def test_each_neighbor_is_drawn_equally_often() -> None:
    star = Graph(np.array([0, 3]), np.array([4, 5, 6], dtype=np.int32), 1)
    node = np.zeros(1, dtype=np.int32)

    drawn = draw_neighbors(star.indptr, star.indices, node, 30_000, 1, 1.0)

    shares = np.bincount(drawn[0], minlength=7)[4:] / 30_000
    np.testing.assert_allclose(shares, 1 / 3, atol=0.01)  # 3.7 standard deviations


@pytest.mark.parametrize(
    ("degree", "share", "draws"),
    [(1, 0.3, 1), (3, 0.3, 1), (4, 0.3, 2), (10, 0.5, 5), (11, 0.5, 6), (12, 0.5, 6), (40, 0.5, 6)],
)
def test_a_share_of_the_neighbors_is_drawn_and_repeated(
    degree: int, share: float, draws: int
) -> None:
    star = Graph(np.array([0, degree]), np.arange(1, degree + 1, dtype=np.int32), 1)
    one = star.indptr, star.indices, np.zeros(1, dtype=np.int32), 6, 1

    drawn, every = draw_neighbors(*one, share)[0], draw_neighbors(*one, 1.0)[0]

    assert drawn.tolist() == np.resize(every[:draws], 6).tolist()


@settings(deadline=None)  # the first example compiles
@given(seed=st.integers(0, 1000), hops=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_blocks_hold_neighbors_and_fit_together(seed: int, hops: list[int]) -> None:
    graph = random_graph(seed)
    sampler = NeighborSampler(graph, hops)
    targets = np.random.default_rng(seed).permutation(graph.n_nodes)[:5].astype(np.int32)

    blocks = sampler.blocks(targets, seed)

    ids = np.arange(graph.n_nodes)  # rows of the embedding table
    for block, fanout in zip(blocks, hops[::-1], strict=True):
        assert block.neighbors.shape == (len(block.targets), fanout)
        for target, drawn in zip(ids[block.targets], ids[block.neighbors], strict=True):
            start, stop = graph.indptr[target], graph.indptr[target + 1]
            assert set(drawn) <= set(graph.indices[start:stop])
        ids = ids[block.targets]
        assert len(set(ids)) == len(ids)
    np.testing.assert_array_equal(ids, targets)


def test_a_node_draws_the_same_whatever_the_batch() -> None:
    graph = random_graph(3)
    some = np.array([2, 5], dtype=np.int32)
    more = np.array([9, 5, 1, 2], dtype=np.int32)

    in_some = draw_neighbors(graph.indptr, graph.indices, some, 4, 11, 1.0)
    in_more = draw_neighbors(graph.indptr, graph.indices, more, 4, 11, 1.0)

    np.testing.assert_array_equal(in_some, in_more[[3, 1]])


def test_distinct_keeps_order_of_appearance() -> None:
    sampler = NeighborSampler(random_graph(0), [1])

    for _ in range(2):  # the scratch is clean again after a call
        found, places = sampler.distinct(np.array([[4, 2, 4], [0, 2, 4]], dtype=np.int32))
        assert found.tolist() == [4, 2, 0]
        assert places.tolist() == [0, 1, 0, 2, 1, 0]


def _csr(*rows: list[int]) -> Csr:
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return Csr(indptr, np.array([item for row in rows for item in row], dtype=np.int32))


def test_a_link_is_divided_by_the_roots_of_both_degrees() -> None:
    matrix = csr_matrix(np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]))

    root = 2**-0.5

    assert normalized(matrix).toarray() == pytest.approx(
        np.array([[1 / 2, root, 0, 0], [root, 0, 0, 0], [0, 0, 0, 0]])
    )


def test_nodes_of_one_community_have_the_same_direction() -> None:
    # Two communities without a link between them, of two users and two items each.
    graph = bipartite_graph(_csr([0, 1], [0, 1], [2, 3], [2, 3]), n_items=4)

    embeddings = spectral_embeddings(graph, 2)

    directions = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    own = np.kron(np.eye(2), np.ones((2, 2)))
    assert directions @ directions.T == pytest.approx(np.kron(np.ones((2, 2)), own), abs=1e-5)


def test_values_have_a_root_mean_square_of_one_and_the_strongest_column_comes_first() -> None:
    rng = np.random.default_rng(0)
    rows = [sorted(rng.choice(30, 6, replace=False).tolist()) for _ in range(20)]
    graph = bipartite_graph(_csr(*rows), n_items=30)

    embeddings = spectral_embeddings(graph, 8)

    for side in (embeddings[:20], embeddings[20:]):
        assert np.mean(side**2) == pytest.approx(1, abs=1e-5)
        assert np.all(np.diff(np.sum(side**2, axis=0)) <= 1e-5)


@pytest.mark.parametrize(
    ("rows", "n_items", "rank"),
    [
        ([[0], [1], [2]], 3, 2),
        ([[0, 1, 2], []], 4, 1),
        ([[0]], 5, 0),
        ([[], [], []], 3, 0),
    ],
    ids=["fewer nodes than columns", "isolated nodes", "one user", "no interactions"],
)
def test_columns_beyond_the_rank_and_isolated_nodes_are_zero(
    rows: list[list[int]], n_items: int, rank: int
) -> None:
    graph = bipartite_graph(_csr(*rows), n_items)

    embeddings = spectral_embeddings(graph, 5)

    assert embeddings.shape == (len(rows) + n_items, 5)
    assert embeddings.dtype == np.float32
    assert not embeddings[:, rank:].any()
    degrees = np.concatenate(
        [[len(row) for row in rows], np.bincount([i for r in rows for i in r], minlength=n_items)]
    )
    assert not embeddings[degrees == 0].any()
    assert np.isfinite(embeddings).all()
