import hashlib
import math
from itertools import chain

import numpy as np
import pytest

from hashgnn.config.base import parse
from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.models import bine
from hashgnn.models.bine import (
    Side,
    buckets,
    centralities,
    explicit,
    implicit,
    train_edges,
    walk,
    walks_per_node,
)
from tests.helpers import csr_of
from tests.training.planted import check_vectors, train

LN3 = np.log(3)


def vectors(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_the_explicit_term_by_hand() -> None:
    # <u, i> = ln 3, s = 3/4: both move by a quarter of the rate times the other.
    user, item = vectors([LN3, 0], [1, 2])

    loss = explicit(user, item, np.float32(0.1))

    assert user == pytest.approx([LN3 + 0.025, 0.05])
    assert item == pytest.approx([1 + 0.025 * LN3, 2])
    assert loss == pytest.approx(-np.log(0.75))


@pytest.mark.parametrize(("label", "gain"), [(1, 0.025), (0, -0.075)])
def test_a_term_of_the_skip_gram_by_hand(label: int, gain: float) -> None:
    center, context, pull = vectors([LN3, 0], [1, 2], [0, 0])

    implicit(center, context, label, np.float32(0.1), pull)

    assert center == pytest.approx([LN3, 0])
    assert context == pytest.approx([1 + gain * LN3, 2])
    assert pull == pytest.approx([gain, 2 * gain])


def side(rows: np.ndarray, walks: list[list[int]]) -> Side:
    """Context vectors are 0; every node has a bucket of its own."""
    lengths = [len(walk) for walk in walks]
    starts = np.cumsum([0, *lengths])
    nodes = np.array(list(chain(*walks)), dtype=np.int32)
    return Side(
        rows.copy(),
        np.zeros_like(rows),
        nodes,
        np.repeat(starts[:-1], lengths),
        np.repeat(starts[1:], lengths),
        np.argsort(nodes, kind="stable"),
        np.concatenate([[0], np.cumsum(np.bincount(nodes, minlength=len(rows)))]),
        np.arange(len(rows), dtype=np.uint64)[:, None],
    )


def test_an_edge_trains_the_windows_of_its_user_and_its_item() -> None:
    # On the users' walk 0 1 0 2 3, user 2's window of one place holds 0 and 3, its own contexts
    # are untouched. All context vectors are 0, so s = 1/2. The items stand alone on their walks.
    users = side(np.eye(4, 2, dtype=np.float32) + 1, [[0, 1, 0, 2, 3]])
    items = side(vectors([1, 1]), [[0]])
    rates = np.array([0.2, 0.2, 0], dtype=np.float32)

    train_edges(users, items, np.array([2], np.int32), np.array([0], np.int32), rates, 1, 0, seed=0)

    moved = 0.2 * 0.5 * users.vectors[2]
    assert users.contexts == pytest.approx(np.stack([moved, 0 * moved, 0 * moved, moved]))
    assert not items.contexts.any()


def test_a_node_trains_no_more_windows_than_it_has_places() -> None:
    # User 0 has one place and two edges: its neighbor's context moves once.
    users, items = side(vectors([1, 1], [1, 1]), [[0, 1]]), side(vectors([1, 1], [1, 1]), [])
    rates = np.array([0.2, 0.2, 0], dtype=np.float32)

    edges = np.array([0, 0], np.int32), np.array([0, 1], np.int32)
    train_edges(users, items, *edges, rates, 5, 0, seed=0)

    assert users.contexts[1] == pytest.approx([0.1, 0.1])


def test_negatives_share_no_bucket_with_the_center() -> None:
    users = side(np.ones((6, 2), dtype=np.float32), [[0, 1]] * 50)
    alike = np.array([[0, 9], [0, 1], [2, 9], [3, 3], [4, 4], [0, 0]], dtype=np.uint64)
    users = users._replace(buckets=alike)
    items = side(vectors([1, 1]), [])
    rates = np.array([0.2, 0.2, 0], dtype=np.float32)

    edges = np.zeros(50, np.int32), np.zeros(50, np.int32)
    train_edges(users, items, *edges, rates, 5, 4, seed=0)

    pushed = (users.contexts < 0).any(axis=1)
    assert pushed.tolist() == [False, False, False, True, True, False]


def test_vectors_find_the_planted_groups() -> None:
    check_vectors(bine, alpha=1.0, beta=1.0, learning_rate=0.1, epochs=20)


def test_dimensions_may_differ_from_bits() -> None:
    assert train(bine, dimensions=5).user_vectors.shape[1] == 5


def test_there_are_no_more_walks_at_least_than_at_most() -> None:
    walks = {"least_walks": 3, "most_walks": 2}

    with pytest.raises(
        InputError, match=r"^most_walks: expected least_walks \(3\) or more, got 2$"
    ):
        parse(bine.Parameters, walks)


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


def test_buckets_stay_as_they_are() -> None:
    indptr = np.array([0, 2, 5, 5, 9], dtype=np.int64)
    neighbors = Csr(indptr, np.array([1, 4, 0, 2, 3, 1, 2, 5, 6], dtype=np.int32))

    digest = hashlib.sha256(buckets(neighbors, 3, 2, 9).tobytes()).hexdigest()
    assert digest[:16] == "b3c79edeed453526"
