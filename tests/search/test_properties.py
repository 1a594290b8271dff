"""What must hold for any items and queries: alone, in batches, in parts, however many."""

import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashgnn.data.interactions import Csr
from hashgnn.search import Index, exact


def draw(seed: int, rows: int, kinds: int, width: int) -> np.ndarray:
    """Codes of which ``kinds`` differ at most: the fewer, the more ties."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (kinds, width), dtype=np.uint8)[random.integers(0, kinds, rows)]


def some_items(seed: int, rows: int, n_items: int) -> Csr:
    chosen = np.random.default_rng(seed).random((rows, n_items)) < 0.3
    indptr = np.concatenate([[0], np.cumsum(chosen.sum(axis=1))])
    return Csr(indptr, np.nonzero(chosen)[1].astype(np.int32))


def one_by_one(
    search: Callable[[slice, Csr], tuple[np.ndarray, np.ndarray]], rows: int, exclude: Csr
) -> Iterator[np.ndarray]:
    """The ids that each query gets when it comes alone."""
    for row in range(rows):
        ends = exclude.indptr[row : row + 2]
        alone = Csr(ends - ends[0], exclude.indices[ends[0] : ends[1]])
        yield search(slice(row, row + 1), alone)[0]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n_items=st.integers(1, 1600),
    kinds=st.sampled_from([1, 3, 1000]),
    k=st.integers(1, 1700),
)
def test_a_query_gets_the_same_alone_as_in_a_batch(
    seed: int, n_items: int, kinds: int, k: int
) -> None:
    n_queries = 33  # enough to be tabulated
    codes, queries = draw(seed, n_items, kinds, 4), draw(seed + 1, n_queries, kinds, 4)
    vectors, desired = codes.astype(np.float32), queries.astype(np.float32)
    exclude = some_items(seed, n_queries, n_items)
    index = Index(codes, vectors)
    distance = np.bitwise_count(queries[:, None] ^ codes).sum(axis=2, dtype=np.int64)

    ids, distances = index.hamming(queries, k, exclude)

    for row in range(n_queries):
        barred = exclude.indices[exclude.indptr[row] : exclude.indptr[row + 1]]
        open_to = np.setdiff1d(np.arange(n_items), barred)
        place = np.argsort(index.order)[open_to]
        expected = open_to[np.lexsort((place, distance[row, open_to]))][:k]
        found = ids[row][ids[row] >= 0]
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(distances[row, : len(found)], distance[row, found])
    for search, batch in (
        (lambda rows, barred: index.hamming(queries[rows], k, barred), ids),
        (
            lambda rows, barred: index.continuous(desired[rows], k, barred),
            index.continuous(desired, k, exclude)[0],
        ),
        (
            lambda rows, barred: index.hierarchical(queries[rows], desired[rows], k, barred, 50),
            index.hierarchical(queries, desired, k, exclude, 50)[0],
        ),
    ):
        alone = list(one_by_one(search, n_queries, exclude))
        np.testing.assert_array_equal(np.concatenate(alone), batch)


@pytest.mark.parametrize(("n_items", "k"), [(4099, 100), (1025, 700), (3000, 2999)])
@pytest.mark.parametrize("n_queries", [1, 2])
def test_items_searched_in_parts_give_the_same(
    monkeypatch: pytest.MonkeyPatch, n_items: int, k: int, n_queries: int
) -> None:
    codes, queries = draw(1, n_items, 300, 4), draw(2, n_queries, 300, 4)
    exclude, relevant = some_items(3, n_queries, n_items), some_items(4, n_queries, n_items)
    index = Index(codes)
    whole = index.hamming(queries, k, exclude)
    counted = index.level_counts(queries, k, exclude, relevant)
    monkeypatch.setattr("hashgnn.kernels._threads", 3)
    monkeypatch.setattr(exact, "_FEWEST", 300)
    assert len(exact.parts_of(index._items(), exclude)) == 3
    for one, other in zip(whole, index.hamming(queries, k, exclude), strict=True):
        np.testing.assert_array_equal(one, other)
    again = index.level_counts(queries, k, exclude, relevant)
    np.testing.assert_array_equal(counted[1], again[1])
    for row in range(n_queries):
        levels = np.searchsorted(np.cumsum(counted[0][row]), k) + 1
        np.testing.assert_array_equal(counted[0][row, :levels], again[0][row, :levels])


def test_memory_beyond_the_results_does_not_grow_with_the_queries() -> None:
    codes = draw(0, 3000, 3000, 4)
    index = Index(codes, codes.astype(np.float32))
    few, many = draw(1, 3_000, 3000, 4), draw(1, 60_000, 3000, 4)
    index.hierarchical(few, few.astype(np.float32), 5, candidates=100)
    beyond = []  # peak, with the results
    for queries in (few, many):
        vectors = queries.astype(np.float32)
        tracemalloc.start()
        index.hamming(queries, 5)
        index.continuous(vectors, 5)
        index.hierarchical(queries, vectors, 5, candidates=100)
        beyond.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    results = (len(many) - len(few)) * 5 * 8  # bytes of ids and distances
    assert beyond[1] - beyond[0] < 4 * results  # the candidates of all alone would be 20 times
