"""Walks over the projections of the graph, and MinHash buckets."""

import math

import numpy as np
import pytest

from hashgnn.data.interactions import Csr
from hashgnn.graph.walks import buckets, centralities, walk, walks_per_node
from tests.helpers import csr_of


def test_centralities_by_hand() -> None:
    # Users 0 and 1 have items {0, 1} and {1}: X X' = [[2, 1], [1, 1]], whose largest eigenvalue
    # is g^2 for the golden ratio g, with the vector (g, 1). Items: (1, g). A third user and item
    # are apart, and of centrality 0: the others are 1 and 1 / g.
    golden = (1 + math.sqrt(5)) / 2

    users, items = centralities(csr_of([0, 1], [1], [2]), 3)

    assert users == pytest.approx([1, 1 / golden, 0], abs=1e-9)
    assert items == pytest.approx([1 / golden, 1, 0], abs=1e-9)


def test_where_all_are_alike_nobody_is_central() -> None:
    users, items = centralities(csr_of([0, 1], [0, 1]), 2)

    assert users.tolist() == [0, 0]
    assert items.tolist() == [0, 0]


def test_walks_per_node_by_hand() -> None:
    counts = walks_per_node(np.array([0, 0.01, 0.5, 0.51, 1]), least=2, most=32)

    assert counts.tolist() == [2, 2, 16, 17, 32]


# Users 0, 1, 2, 3 have items {0, 1}, {0, 1}, {1}, {2}: 0 and 1 share two items, each of them one
# with 2; 3 shares none.
BY_USER, BY_ITEM = csr_of([0, 1], [0, 1], [1], [2]), csr_of([0, 1], [0, 1, 2], [3])


def test_steps_follow_the_shared_neighbors() -> None:
    walks = walk(BY_USER, BY_ITEM, np.array([30_000, 0, 0, 0]), 0.5, seed=0)

    first, second = walks.starts[:-1], walks.starts[:-1] + 1
    went = walks.nodes[second[np.diff(walks.starts) > 1]]
    assert set(walks.nodes[first]) == {0}
    # Weights 2 and 1; four standard deviations of 15,000 draws.
    assert np.bincount(went, minlength=4) / len(went) == pytest.approx(
        [0, 2 / 3, 1 / 3, 0], abs=0.016
    )


def test_lengths_are_geometric() -> None:
    lengths = np.diff(walk(BY_USER, BY_ITEM, np.array([20_000, 0, 0, 0]), 0.25, seed=1).starts)

    # 1 / stop on average, and a quarter ends at the start.
    assert lengths.mean() == pytest.approx(4, abs=0.1)
    assert (lengths == 1).mean() == pytest.approx(0.25, abs=0.0125)


def test_every_node_starts_its_walks_and_the_lonely_stay() -> None:
    walks = walk(BY_USER, BY_ITEM, np.array([1, 2, 0, 3]), 0.1, seed=0)

    starts = walks.nodes[walks.starts[:-1]]
    assert starts.tolist() == [0, 1, 1, 3, 3, 3]
    assert np.diff(walks.starts)[3:].tolist() == [1, 1, 1]
    assert walks.starts[-1] == len(walks.nodes)


def test_walks_follow_the_seed() -> None:
    once, again, other = (walk(BY_USER, BY_ITEM, np.full(4, 20), 0.15, seed) for seed in (0, 0, 1))

    assert np.array_equal(once.nodes, again.nodes)
    assert not np.array_equal(once.nodes, other.nodes)


@pytest.mark.parametrize("shared", [0, 20, 30, 40])
def test_bands_agree_with_the_chance_of_the_jaccard_similarity(shared: int) -> None:
    # Two sets of 40 with so many in common: s = shared / (80 - shared), a band of two: s^2.
    one, other = np.arange(40), np.arange(40) + 40 - shared
    neighbors = Csr(np.array([0, 40, 80]), np.concatenate([one, other]).astype(np.int32))

    found = buckets(neighbors, bands=4000, rows=2, seed=3)

    agree = (found[0] == found[1]).mean()
    assert agree == pytest.approx((shared / (80 - shared)) ** 2, abs=0.032)


def test_buckets_follow_the_seed() -> None:
    neighbors = Csr(np.array([0, 2]), np.array([3, 8], dtype=np.int32))

    assert np.array_equal(buckets(neighbors, 4, 2, 0), buckets(neighbors, 4, 2, 0))
    assert not (buckets(neighbors, 4, 2, 0) == buckets(neighbors, 4, 2, 1)).any()
