import numpy as np
import pytest
from scipy.sparse import csr_matrix

from hashgnn.data.interactions import Csr
from hashgnn.graph import bipartite_graph
from hashgnn.graph.spectral import normalized, spectral_embeddings


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
