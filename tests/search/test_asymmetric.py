"""Float queries against binary codes: the same as multiplying out, in every corner."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.search import Index
from hashgnn.search.asymmetric import round_queries

NONE = -np.inf


def signs(codes: np.ndarray) -> np.ndarray:
    return 2.0 * np.unpackbits(codes, axis=1, bitorder="little") - 1


def ranked(
    index: Index, scores: np.ndarray, k: int, excluded: list[set[int]]
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` best of each row of ``scores`` [Q, I], equals in the index's order."""
    place = np.argsort(index.order)
    ids = np.full((len(scores), k), -1, np.int32)
    best = np.full((len(scores), k), NONE, np.float32)
    for row, own in enumerate(scores):
        allowed = [i for i in range(len(own)) if i not in excluded[row]]
        order = sorted(allowed, key=lambda item: (-own[item], place[item]))[:k]
        ids[row, : len(order)], best[row, : len(order)] = order, own[order]
    return ids, best


def exact_scores(queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Sums in double precision, in the order of the bits."""
    wide = np.zeros((len(queries), 8 * codes.shape[1]))
    wide[:, : queries.shape[1]] = queries
    return np.add.accumulate(wide[:, None, :] * signs(codes)[None], axis=2)[:, :, -1]


def as_rows(excluded: list[set[int]]) -> Csr:
    indptr = np.cumsum([0, *map(len, excluded)])
    return Csr(indptr, np.array([i for row in excluded for i in sorted(row)], dtype=np.int32))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_items=st.sampled_from([1, 2, 63, 513, 1500]),
    n_queries=st.sampled_from([0, 1, 3, 40]),
    kind=st.sampled_from([(1, 2), (3, 4), (4, None)]),  # each is compiled
    padding=st.integers(0, 7),
    kinds=st.sampled_from([2, 50, 5000]),
    k=st.sampled_from([1, 7, 600, 2000]),
)
def test_it_is_what_multiplying_out_gives(
    seed: int,
    n_items: int,
    n_queries: int,
    kind: tuple[int, int | None],
    padding: int,
    kinds: int,
    k: int,
) -> None:
    width, query_bits = kind
    random = np.random.default_rng(seed)
    pool = random.integers(0, 256, (kinds, width), dtype=np.uint8)
    codes = pool[random.integers(0, kinds, n_items)]
    queries = random.normal(size=(n_queries, 8 * width - padding)).astype(np.float32)
    queries[random.random(queries.shape) < 0.1] = 0
    if kinds == 50:
        queries = np.rint(queries)  # equal scores of unequal codes
    excluded = [set(np.flatnonzero(random.random(n_items) < 0.2).tolist()) for _ in queries]
    index = Index(codes)

    ids, scores = index.asymmetric(queries, k, as_rows(excluded), None, query_bits)

    if query_bits is None:
        products = exact_scores(queries, codes)
    else:
        rounded = round_queries(np.pad(queries, ((0, 0), (0, padding))), query_bits)
        units = np.where(queries > 0, 1, -1) * rounded.weights[:, : queries.shape[1]].astype(int)
        whole = np.pad(units, ((0, 0), (0, padding))) @ signs(codes).T
        products = rounded.steps[:, None] * whole
    expected_ids, expected_scores = ranked(index, products, k, excluded)
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("query", "query_bits", "weights", "step"),
    [
        ([7.0, -3.0, 0.0, 1.0], 4, [7, 3, 0, 1], 1.0),  # represented as they are
        ([0.5, -0.5, 0.5, 0.5], 2, [1, 1, 1, 1], 0.5),
        ([0.0, 0.0, 0.0, 0.0], 4, [0, 0, 0, 0], 0.0),
        # Of two weights the large number is cut to 0.7 of itself: (0.3 + 2 * 0.3) 2 are less than
        # what rounding the others to 0 would lose.
        ([1.0, 0.6, 0.6, 0.6], 2, [1, 1, 1, 1], 0.7),
    ],
)
def test_a_query_is_rounded_with_the_least_error(
    query: list[float], query_bits: int, weights: list[int], step: float
) -> None:
    rounded = round_queries(np.array([query], np.float32), query_bits)

    assert rounded.weights.tolist() == [weights]
    assert rounded.steps == pytest.approx([step])
    positive = [value > 0 for value in query]
    assert np.unpackbits(rounded.signs, bitorder="little")[:4].tolist() == positive


def test_scores_are_inner_products_with_signs() -> None:
    codes = np.array([[0b0011], [0b0101], [0b1111]], np.uint8)
    query = np.array([[4.0, -2.0, 1.0, 0.5, 0, 0, 0, 0]], np.float32)

    ids, scores = Index(codes).asymmetric(query, 4)

    # 4 - 2 - 1 - .5; 4 + 2 + 1 - .5; 4 - 2 + 1 + .5
    assert ids.tolist() == [[1, 2, 0, -1]]
    assert scores.tolist() == [[6.5, 3.5, 0.5, NONE]]


def test_without_item_vectors_candidates_are_ranked_by_their_codes() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 256, (900, 2), dtype=np.uint8)
    queries = random.normal(size=(40, 16)).astype(np.float32)
    signed = np.packbits(queries > 0, axis=1, bitorder="little")
    index = Index(codes)

    ids, scores = index.hierarchical(signed, queries, 20, candidates=100)

    nearest = index.hamming(signed, 100)[0]
    outside = [set(range(900)) - set(row.tolist()) for row in nearest]
    expected_ids, expected_scores = ranked(index, exact_scores(queries, codes), 20, outside)
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_allclose(scores, expected_scores)


@pytest.mark.parametrize(
    ("vectors", "query_bits", "message"),
    [
        (np.zeros((1, 25), np.float32), None, ""),
        (np.zeros((1, 24), np.float32), None, "vectors have 24 dimensions, expected 32"),
        (np.zeros((1, 33), np.float32), None, "vectors have 33 dimensions, expected 32"),
        (np.full((1, 32), np.nan, np.float32), None, "row 0 holds nan"),
        (np.zeros((1, 32)), None, "vectors are float64"),
        (np.zeros((1, 32), np.float32), 1, "query_bits: expected a whole number from 2 to 8"),
        (np.zeros((1, 32), np.float32), 9, "query_bits: expected a whole number from 2 to 8"),
        (np.zeros((1, 32), np.float32), 4.0, "query_bits: expected a whole number from 2 to 8"),
    ],
)
def test_unfit_queries_are_refused(vectors: np.ndarray, query_bits: int, message: str) -> None:
    index = Index(np.zeros((5, 4), np.uint8))

    if not message:
        assert index.asymmetric(vectors, 2, query_bits=query_bits)[0].shape == (1, 2)
        return
    with pytest.raises(InputError, match=message):
        index.asymmetric(vectors, 2, query_bits=query_bits)
