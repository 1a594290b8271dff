import numpy as np
import pytest

from hashgnn.models import pte
from hashgnn.models.pte import alias_table, sample_edges, step, with_bias
from tests.training.planted import check_vectors, train


@pytest.mark.parametrize("weights", [[1.0], [2.0, 2.0], [1.0, 0.0, 3.0], [5.0, 1.0, 1.0, 0.5, 2.5]])
def test_an_alias_table_holds_the_weights_exactly(weights: list[float]) -> None:
    keep, other = alias_table(np.array(weights))

    n = len(weights)
    chances = np.minimum(keep, 1) / n
    np.add.at(chances, other, np.maximum(1 - keep, 0) / n)
    assert chances == pytest.approx(np.array(weights) / sum(weights))


def vectors(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_a_step_by_hand() -> None:
    # <u, i> = ln 3, so s = 3/4: an edge leaves 1/4 of the rate, noise takes 3/4 of it.
    ln3 = np.log(3)
    for label, gain in ((1, 0.1 * 0.25), (0, -0.1 * 0.75)):
        user, item, pull = vectors([ln3, 0], [1, 2], [0, 0])

        loss = step(user, item, label, np.float32(0.1), pull)

        assert user == pytest.approx([ln3, 0])  # moves after all terms of the edge
        assert item == pytest.approx([1 + gain * ln3, 2])
        assert pull == pytest.approx([gain, 2 * gain])
        assert loss == pytest.approx(-np.log(0.75 if label else 0.25))


def test_one_edge_and_its_noise_by_hand() -> None:
    # The only noise is item 1; all scores are 0, so s = 1/2 everywhere. Half of the course is
    # done: the rate is 0.2. The second negative meets item 1 moved once: score -0.1.
    users, items = vectors([1, 0]), vectors([0, 1], [0, 0])
    keep, other = alias_table(np.array([0.0, 1.0]))
    edges = np.array([0]), np.array([0], dtype=np.int32)

    sample_edges((users, items), edges, (keep, other), 1, (5, 10), 0.4, 2, 0)

    likely = 1 / (1 + np.exp(0.1))
    assert items[0] == pytest.approx([0.1, 1])
    assert items[1] == pytest.approx([-0.1 - 0.2 * likely, 0])
    assert users[0] == pytest.approx([1 - 0.2 * likely * -0.1, 0.1])


def test_noise_that_is_the_edges_own_item_is_left_out() -> None:
    users, items = vectors([1, 0]), vectors([0, 1])
    keep, other = alias_table(np.array([1.0]))

    edges = np.array([0]), np.array([0], np.int32)
    sample_edges((users, items), edges, (keep, other), 1, (0, 1), 0.2, 5, 0)

    assert items[0] == pytest.approx([0.1, 1])


def test_a_bias_is_added_to_inner_products() -> None:
    users, items = vectors([1, 2], [3, 4]), vectors([5, 6], [7, 8], [9, 0])
    bias = np.array([0.5, -1, 2])

    longer_users, longer_items = with_bias(users, items, bias)

    assert longer_users @ longer_items.T == pytest.approx(users @ items.T + bias)
    assert longer_items.dtype == np.float32


def test_vectors_find_the_planted_groups() -> None:
    check_vectors(pte, passes=50, learning_rate=0.1)


def test_dimensions_may_differ_from_bits() -> None:
    assert train(pte, dimensions=5).user_vectors.shape[1] == 6  # the noise is one more
