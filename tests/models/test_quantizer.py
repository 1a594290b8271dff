"""Quantizers: worked cases, and FAISS's own searches."""

from dataclasses import replace

import faiss
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from hashgnn.errors import InputError
from hashgnn.models import quantizer
from hashgnn.models.quantizer import Parameters, product_quantized, quantize
from hashgnn.search.approximate import Parts
from tests.training.planted import (
    BITS,
    PRETRAINED,
    agreeing_bits,
    own_group_gap,
    planted_task,
    train,
)

RANDOM = np.random.default_rng(0)
USERS = RANDOM.standard_normal((7, 32)).astype(np.float32)
# Of unequal lengths, about a mean that is not 0.
ITEMS = ((RANDOM.standard_normal((700, 32)) + 0.3) * RANDOM.gamma(2, 1, (700, 1))).astype(
    np.float32
)
ALL = ("sign", "lsh", "itq", "pq", "opq", "rabitq")


def products(users: np.ndarray, items: np.ndarray) -> np.ndarray:
    return users @ items.T


def searched(index: faiss.Index, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Scores [users, items] of FAISS's own search."""
    index.add(items)
    scores, ids = index.search(users, len(items))
    found = np.empty_like(scores)
    np.put_along_axis(found, ids, scores, axis=1)
    return found


def test_signs_are_those_of_the_vectors() -> None:
    found = quantize(USERS, ITEMS, 32, Parameters(quantizer="sign"), 0)

    assert found[0] is USERS
    assert found[1] is ITEMS


def test_a_random_rotation_keeps_products_where_bits_are_enough() -> None:
    for bits in (32, 40):
        users, items = quantize(USERS, ITEMS, bits, Parameters(quantizer="lsh"), 3)
        assert users.shape == (7, bits)
        np.testing.assert_allclose(
            products(users, items), products(USERS, ITEMS), rtol=1e-4, atol=1e-3
        )


def test_random_rotations_follow_the_seed() -> None:
    lsh = Parameters(quantizer="lsh")
    one, same, other = (quantize(USERS, ITEMS, 24, lsh, seed)[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


def test_equal_lengths_by_hand() -> None:
    users = np.array([[2, 3]], np.float32)
    items = np.array([[3, 4], [0, 3], [5, 0], [0, 0]], np.float32)

    longer = quantizer.equally_long(users, items)

    assert longer[0].tolist() == [[2, 3, 0]]
    assert longer[1].tolist() == [[3, 4, 0], [0, 3, 4], [5, 0, 0], [0, 0, 5]]


@pytest.mark.parametrize("equal_lengths", [False, True])
def test_itq_rotates_about_the_mean_of_the_items(equal_lengths: bool) -> None:
    bits = 33 if equal_lengths else 32
    parameters = Parameters(quantizer="itq", equal_lengths=equal_lengths)

    users, items = quantize(USERS, ITEMS, bits, parameters, 0)

    assert items.mean(axis=0) == pytest.approx(np.zeros(bits), abs=1e-4)
    # One number off for all items of a user: their order is the same.
    differences = products(users, items) - products(USERS, ITEMS)
    np.testing.assert_allclose(differences, differences[:, :1].repeat(700, 1), atol=1e-2)


def test_itq_loses_less_than_signs_or_random_rotations() -> None:
    # Two strong directions of 32: most signs of the vectors themselves are noise.
    strong = np.r_[np.full(2, 5), np.full(30, 0.1)]
    rows = (RANDOM.standard_normal((900, 32)) * strong).astype(np.float32)
    losses = {}
    for kind in ("sign", "lsh", "itq"):
        parameters = Parameters(quantizer=kind, equal_lengths=False)
        items = quantize(rows[:5], rows, 32, parameters, 0)[1]
        items /= np.linalg.norm(items, axis=1, keepdims=True)
        losses[kind] = ((items - np.where(items >= 0, 1, -1) / np.sqrt(32)) ** 2).sum()
    assert losses["itq"] < losses["lsh"] < losses["sign"]


def test_centroids_are_learned_from_some_of_many_items() -> None:
    found = [
        quantize(USERS, ITEMS, 16, Parameters(quantizer="opq", training_items=most), 0)[1]
        for most in (78, 78, 699, 700, 65_536)
    ]

    assert found[0].tobytes() == found[1].tobytes()
    assert found[3].tobytes() == found[4].tobytes()  # all
    assert found[2].tobytes() != found[3].tobytes()


def test_centroids_by_hand() -> None:
    # Two parts of two dimensions, two centroids each: the means of two groups.
    parts = np.array([[0, 0], [0, 2], [10, 10], [10, 12]], np.float32)
    items = np.hstack([np.tile(parts, (20, 1)), np.repeat(parts, 20, axis=0)])

    found = product_quantized(items, Parts(2, 1), 0)

    means = np.array([[0, 1], [0, 1], [10, 11], [10, 11]], np.float32)
    expected = np.hstack([np.tile(means, (20, 1)), np.repeat(means, 20, axis=0)])
    np.testing.assert_allclose(found, expected)


def test_parts_of_unequal_size() -> None:
    # Three parts of 5 dimensions: 2, 2 and 1. Each takes two values only, which are kept.
    random = np.random.default_rng(1)
    values = np.array([[1, 2, 3, 4, 5], [-3, 6, 1, 0, 2]], np.float32)
    chosen = random.integers(0, 2, (90, 3))[:, [0, 0, 1, 1, 2]]
    items = np.take_along_axis(values, chosen, axis=0)

    np.testing.assert_allclose(product_quantized(items, Parts(3, 1), 0), items, rtol=1e-6)


def test_products_with_pq_are_the_distances_of_faiss() -> None:
    parameters = Parameters(quantizer="pq", part_bits=4)
    users, items = quantize(USERS, ITEMS, 32, parameters, 5)

    index = faiss.IndexPQ(32, 8, 4, faiss.METRIC_INNER_PRODUCT)
    index.pq.cp.seed = 5
    with threadpool_limits(limits=1):
        index.train(ITEMS)
    assert users is USERS
    np.testing.assert_allclose(
        products(users, items), searched(index, USERS, ITEMS), rtol=1e-4, atol=1e-3
    )


def test_products_with_opq_are_the_distances_of_faiss() -> None:
    users, items = quantize(USERS, ITEMS, 32, Parameters(quantizer="opq", part_bits=4), 5)

    parts = faiss.ProductQuantizer(32, 8, 4)
    rotation, index = faiss.OPQMatrix(32, 8), faiss.IndexPQ(32, 8, 4, faiss.METRIC_INNER_PRODUCT)
    rotation.pq = parts
    parts.cp.seed = index.pq.cp.seed = 5
    whole = faiss.IndexPreTransform(rotation, index)
    with threadpool_limits(limits=1):
        whole.train(ITEMS)
    expected = searched(whole, USERS, ITEMS)
    # k-means ends elsewhere where sums are rounded otherwise: both are as near to the floats.
    exact = products(USERS, ITEMS)
    error, faiss_error = (np.abs(one - exact).mean() for one in (products(users, items), expected))
    assert error == pytest.approx(faiss_error, rel=0.1)


def test_products_with_rabitq_are_the_distances_of_faiss() -> None:
    users, items = quantize(USERS, ITEMS, 32, Parameters(quantizer="rabitq"), 4)

    rotation = faiss.RandomRotationMatrix(32, 32)
    rotation.init(4)
    index = faiss.IndexRaBitQ(32, faiss.METRIC_INNER_PRODUCT)
    index.qb = 0
    whole = faiss.IndexPreTransform(rotation, index)
    whole.train(ITEMS)
    np.testing.assert_array_equal(users[:, :32], USERS)
    np.testing.assert_allclose(
        products(users, items), searched(whole, USERS, ITEMS), rtol=1e-3, atol=1e-2
    )


@pytest.mark.parametrize(("kind", "expected"), [("pq", 4), ("itq", 4), ("rabitq", 12)])
def test_bytes_of_an_item(kind: str, expected: int) -> None:
    assert quantizer.bytes_of_item(Parameters(quantizer=kind), 32) == expected


@pytest.mark.parametrize(
    ("kind", "width", "message"),
    [
        ("sign", 31, "sign: expected vectors of 32 dimensions, one for each bit, got 31"),
        ("sign", 33, "sign: expected vectors of 32 dimensions, one for each bit, got 33"),
        ("itq", 30, "itq: expected vectors of 32 dimensions or more, one for each bit, got 31"),
    ],
)
def test_vectors_of_unfit_width_are_refused(kind: str, width: int, message: str) -> None:
    wide = np.hstack([ITEMS, ITEMS])[:, :width]
    with pytest.raises(InputError, match=message):
        quantize(wide[:7], wide, 32, Parameters(quantizer=kind), 0)


@pytest.mark.parametrize("kind", ALL)
def test_the_groups_of_the_vectors_are_found(kind: str) -> None:
    task = planted_task()
    if kind in ("sign", "itq"):  # which make no more bits than dimensions
        wide = [np.tile(side, 3) for side in PRETRAINED]
        task = replace(task, pretrained=(wide[0], wide[1]))

    fitted, again = (train(quantizer, task, quantizer=kind) for _ in range(2))

    scores = fitted.user_vectors @ fitted.item_vectors.T
    assert own_group_gap(scores) > 0.5 * scores.std()
    assert fitted.item_vectors.tobytes() == again.item_vectors.tobytes()
    if kind in ("sign", "lsh", "itq"):
        assert fitted.bits == BITS
        assert own_group_gap(agreeing_bits(fitted)) > 2  # of 12 bits


def test_it_asks_for_vectors() -> None:
    with pytest.raises(InputError, match="name it with the key pretrained"):
        train(quantizer, replace(planted_task(), pretrained=None))
