"""Ranked lists, also among some items or of changed ones, against a brute force that sorts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.search import Index, _kernels, exact
from hashgnn.search.exact import codes_at
from tests.helpers import csr_of


def random_codes(rows: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, width), dtype=np.uint8)


def random_vectors(rows: int, dimension: int, seed: int) -> np.ndarray:
    # Small integers: sums are exact in any order, and many are equal.
    drawn = np.random.default_rng(seed).integers(-2, 3, (rows, dimension))
    return drawn.astype(np.float32)


def random_rows(rows: int, n_items: int, seed: int, chance: float = 0.2) -> Csr:
    """Each item in each row with probability ``chance``."""
    chosen = np.random.default_rng(seed).random((rows, n_items)) < chance
    indptr = np.concatenate([[0], np.cumsum(chosen.sum(axis=1))])
    return Csr(indptr, np.nonzero(chosen)[1].astype(np.int32))


def brute_force(keys: np.ndarray, index: Index, k: int, exclude: Csr | None) -> np.ndarray:
    """Ids by (key, place in tie order), -1 where nothing is left; ``keys`` float [Q, I]."""
    barred = np.isinf(keys)
    if exclude is not None:
        barred[np.repeat(np.arange(len(keys)), np.diff(exclude.indptr)), exclude.indices] = True
    found = _kernels.best(keys[:, index.order], k, barred[:, index.order])
    return np.where(found < 0, -1, index.order[found])


SIZES = [
    # queries, items, bytes, k
    (3, 10, 1, 4),
    (5, 257, 4, 10),
    (70, 1031, 4, 100),
    (7, 4099, 8, 100),
    (33, 600, 3, 50),
    (9, 777, 16, 20),
    (4, 300, 128, 300),
    (2, 5, 4, 9),
    (3, 1, 4, 2),
    (0, 50, 4, 5),
    (1, 20011, 4, 500),
    (1, 1, 4, 1),
    (1, 999, 5, 1200),
    (40, 700, 16, 20),
    # It takes ten seconds to compile the scan of the longest codes by many queries.
    pytest.param(35, 300, 128, 310, marks=pytest.mark.slow),
    # Long scans by few queries, whose hits wait for one another: rare ones, and many.
    (5, 20011, 8, 100),
    (31, 30011, 4, 3),
    (2, 40003, 1, 700),
]


@pytest.mark.parametrize(("queries", "items", "width", "k"), SIZES)
@pytest.mark.parametrize("masked", [False, True])
def test_hamming_is_brute_force(queries: int, items: int, width: int, k: int, masked: bool) -> None:
    codes, wanted = random_codes(items, width, 1), random_codes(queries, width, 2)
    exclude = random_rows(queries, items, 3) if masked else None
    index = Index(codes)
    ids, distances = index.hamming(wanted, k, exclude)
    table = _kernels.distances(wanted, codes)
    np.testing.assert_array_equal(ids, brute_force(table, index, k, exclude))
    found = np.take_along_axis(table, np.maximum(ids, 0), axis=1) if items else ids
    np.testing.assert_array_equal(distances, np.where(ids < 0, -1, found))
    assert ids.dtype == distances.dtype == np.int32


@pytest.mark.parametrize(("queries", "items", "dimension", "k"), SIZES)
@pytest.mark.parametrize("masked", [False, True])
def test_continuous_is_brute_force(
    queries: int, items: int, dimension: int, k: int, masked: bool
) -> None:
    vectors, wanted = random_vectors(items, dimension, 1), random_vectors(queries, dimension, 2)
    exclude = random_rows(queries, items, 3) if masked else None
    index = Index(vectors=vectors)
    ids, scores = index.continuous(wanted, k, exclude)
    table = wanted @ vectors.T
    np.testing.assert_array_equal(ids, brute_force(-table, index, k, exclude))
    found = np.take_along_axis(table, np.maximum(ids, 0), axis=1)
    np.testing.assert_array_equal(scores, np.where(ids < 0, -np.inf, found))


@pytest.mark.parametrize(("queries", "items", "width", "k"), SIZES)
@pytest.mark.parametrize("candidates", [3, 40])
def test_hierarchical_reranks_the_nearest(
    queries: int, items: int, width: int, k: int, candidates: int
) -> None:
    codes, wanted = random_codes(items, width, 1), random_codes(queries, width, 2)
    vectors, desired = random_vectors(items, 6, 3), random_vectors(queries, 6, 4)
    exclude = random_rows(queries, items, 5)
    index = Index(codes, vectors)
    nearest, _ = index.hamming(wanted, candidates, exclude)
    products = desired @ vectors.T
    keys = np.full((queries, items), np.inf)
    rows, places = np.nonzero(nearest >= 0)
    chosen = nearest[rows, places]
    keys[rows, chosen] = -products[rows, chosen]
    ids, scores = index.hierarchical(wanted, desired, k, exclude, candidates)
    np.testing.assert_array_equal(ids, brute_force(keys, index, k, None))
    found = np.take_along_axis(products, np.maximum(ids, 0), axis=1)
    np.testing.assert_array_equal(scores, np.where(ids < 0, -np.inf, found))


@pytest.mark.parametrize("items", [3001, 20011])
def test_level_counts_count_every_level_down_to_rank_k(items: int) -> None:
    codes, wanted = random_codes(items, 4, 1), random_codes(9, 4, 2)
    exclude, relevant = random_rows(9, items, 3), random_rows(9, items, 4, 0.01)
    counts, among = Index(codes).level_counts(wanted, 50, exclude, relevant)
    table = _kernels.distances(wanted, codes)
    for row in range(9):
        barred = exclude.indices[exclude.indptr[row] : exclude.indptr[row + 1]]
        chosen = relevant.indices[relevant.indptr[row] : relevant.indptr[row + 1]]
        expected = np.bincount(np.delete(table[row], barred), minlength=counts.shape[1])
        deepest = np.searchsorted(np.cumsum(expected), 50)
        np.testing.assert_array_equal(counts[row, : deepest + 1], expected[: deepest + 1])
        np.testing.assert_array_equal(
            among[row], np.bincount(table[row, chosen], minlength=counts.shape[1])
        )


@pytest.mark.parametrize(("queries", "items"), [(40, 3000), (3, 20011)])
def test_quotas_that_prove_too_small_cost_time_only(
    queries: int, items: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes, vectors = random_codes(items, 4, 1), random_vectors(items, 9, 2)
    wanted, desired = random_codes(queries, 4, 3), random_vectors(queries, 9, 4)
    exclude = random_rows(queries, items, 5)
    index = Index(codes, vectors)

    def stingy(n_items: int, wanted: int, step: int) -> np.ndarray:
        enough = np.ones(-(-n_items // step), dtype=np.int64)
        enough[-1] = wanted
        return enough

    monkeypatch.setattr(exact, "quotas", stingy)
    near = brute_force(_kernels.distances(wanted, codes), index, 60, exclude)
    np.testing.assert_array_equal(index.hamming(wanted, 60, exclude)[0], near)
    large = brute_force(-(desired @ vectors.T), index, 60, exclude)
    np.testing.assert_array_equal(index.continuous(desired, 60, exclude)[0], large)


@pytest.mark.parametrize("size", [1, 7, 8, 15, 16, 17, 31, 40, 68])
@pytest.mark.parametrize("count", [1, 31, 32, 33, 100])
def test_a_query_scores_alike_in_any_company(count: int, size: int) -> None:
    """By the same sums: alone, with few, with many, on panels that are full or not."""
    vectors, queries = random_vectors(count, size, 1), random_vectors(14, size, 2)
    index = Index(np.zeros((count, 1), np.uint8), vectors)

    ids, scores = index.continuous(queries, count)

    exact = np.take_along_axis(queries @ vectors.T, ids, axis=1)
    np.testing.assert_allclose(scores, exact, rtol=1e-4, atol=1e-5)
    for some in (1, 2, 5, 6, 7):
        few = index.continuous(queries[:some], count)
        np.testing.assert_array_equal(few[0], ids[:some])
        np.testing.assert_array_equal(few[1], scores[:some])


def test_all_equal_codes_come_in_tie_order_and_the_order_follows_the_seed() -> None:
    codes = np.full((500, 4), 7, dtype=np.uint8)
    lists = [Index(codes, tie_seed=seed).hamming(codes[:1], 20)[0] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(lists[0], lists[1])
    assert not np.array_equal(lists[0], lists[2])
    assert not np.array_equal(lists[0][0], np.arange(20))


@pytest.mark.parametrize("queries", [1, 40])
def test_all_equal_items_come_in_tie_order_in_every_search(queries: int) -> None:
    codes, vectors = np.full((700, 4), 7, np.uint8), np.ones((700, 3), np.float32)
    index = Index(codes, vectors)
    exclude = random_rows(queries, 700, 3)
    expected = brute_force(np.zeros((queries, 700)), index, 650, exclude)
    for ids, _ in (
        index.hamming(codes[:queries], 650, exclude),
        index.continuous(vectors[:queries], 650, exclude),
        index.hierarchical(codes[:queries], vectors[:queries], 650, exclude, candidates=700),
    ):
        np.testing.assert_array_equal(ids, expected)


def test_everything_excluded_leaves_nothing() -> None:
    codes, vectors = random_codes(30, 4, 1), random_vectors(30, 4, 1)
    everything = Csr(np.array([0, 30]), np.arange(30, dtype=np.int32))
    index = Index(codes, vectors)
    for ids, _ in (
        index.hamming(codes[:1], 5, everything),
        index.continuous(vectors[:1], 5, everything),
        index.hierarchical(codes[:1], vectors[:1], 5, everything),
    ):
        np.testing.assert_array_equal(ids, [[-1] * 5])


def test_no_items() -> None:
    index = Index(np.empty((0, 4), np.uint8), np.empty((0, 3), np.float32))
    ids, _ = index.hierarchical(random_codes(2, 4, 1), random_vectors(2, 3, 1), 3)
    np.testing.assert_array_equal(ids, np.full((2, 3), -1))


def test_saved_index_answers_alike(tmp_path) -> None:  # type: ignore[no-untyped-def]
    codes, vectors = random_codes(1000, 4, 1), random_vectors(1000, 5, 2)
    index = Index(codes, vectors, tie_seed=5)
    index.save(tmp_path / "index")
    loaded = Index.load(tmp_path / "index")
    for before, after in zip(
        index.hierarchical(codes[:9], vectors[:9], 20),
        loaded.hierarchical(codes[:9], vectors[:9], 20),
        strict=True,
    ):
        np.testing.assert_array_equal(before, after)
    Index(codes).save(tmp_path / "index")
    assert Index.load(tmp_path / "index").vectors is None


def test_half_written_index_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    Index(random_codes(10, 4, 1)).save(tmp_path)
    (tmp_path / "index.json").unlink()
    with pytest.raises(InputError, match="not a saved index"):
        Index.load(tmp_path)


def test_threads_do_not_change_results(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, vectors = random_codes(5000, 4, 1), random_vectors(5000, 8, 2)
    index = Index(codes, vectors)
    answers = []
    for threads in (1, 2):
        monkeypatch.setattr("hashgnn.kernels._threads", threads)
        answers.append(index.hierarchical(codes[:301], vectors[:301], 50))
    np.testing.assert_array_equal(answers[0][0], answers[1][0])
    np.testing.assert_array_equal(answers[0][1], answers[1][1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda index: index.hamming(random_codes(2, 5, 1), 3), "5 bytes"),
        (lambda index: index.hamming(random_vectors(2, 4, 1), 3), "float32"),
        (lambda index: index.continuous(random_vectors(2, 3, 1), 3), "no vectors"),
        (lambda index: index.hamming(random_codes(2, 4, 1), 3, random_rows(3, 10, 1)), "3 rows"),
        (lambda index: Index(), "needs item codes"),
        (lambda index: Index(np.zeros((3, 129), np.uint8)), "129 bytes"),
    ],
)
def test_unfit_arrays_are_named(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        call(Index(random_codes(10, 4, 1)))


ITEMS, QUERIES, K = 700, 9, 20
CODES, VECTORS = random_codes(ITEMS, 3, 1), random_vectors(ITEMS, 6, 2)
WANTED, DESIRED = random_codes(QUERIES, 3, 3), random_vectors(QUERIES, 6, 4)
EXCLUDED = random_rows(QUERIES, ITEMS, 5)
SOME = np.random.default_rng(6).choice(ITEMS, 60, replace=False)
PER_QUERY = random_rows(QUERIES, ITEMS, 7, 0.05)


def allowed(only: Any) -> np.ndarray:
    """bool [Q, items]"""
    chosen = np.zeros((QUERIES, ITEMS), dtype=bool)
    if isinstance(only, np.ndarray):
        chosen[:, only] = True
    else:
        rows = np.repeat(np.arange(QUERIES), np.diff(only.indptr))
        chosen[rows, only.indices] = True
    return chosen


@pytest.mark.parametrize("only", [SOME, PER_QUERY], ids=["for all", "per query"])
@pytest.mark.parametrize("exclude", [None, EXCLUDED], ids=["all", "excluded"])
def test_only_these_are_found_and_as_many_as_there_are(only: Any, exclude: Csr | None) -> None:
    index, open_to = Index(CODES, VECTORS), allowed(only)
    keys = np.where(open_to, _kernels.distances(WANTED, CODES), np.inf)
    ids, distances = index.hamming(WANTED, K, exclude, only)
    np.testing.assert_array_equal(ids, brute_force(keys, index, K, exclude))
    assert ((distances >= 0) == (ids >= 0)).all()

    products = np.where(open_to, DESIRED @ VECTORS.T, -np.inf)
    ids, scores = index.continuous(DESIRED, K, exclude, only)
    np.testing.assert_array_equal(ids, brute_force(-products, index, K, exclude))
    assert (np.isfinite(scores) == (ids >= 0)).all()

    queries = random_vectors(QUERIES, 24, 8)
    sums = queries @ (2.0 * np.unpackbits(CODES, axis=1, bitorder="little") - 1).T
    ids, scores = index.asymmetric(queries, K, exclude, only)
    keys = np.where(open_to, -sums, np.inf)
    np.testing.assert_array_equal(ids, brute_force(keys, index, K, exclude))
    assert (np.isfinite(scores) == (ids >= 0)).all()

    near = index.hamming(WANTED, 25, exclude, only)[0]
    candidates = np.full_like(products, -np.inf)
    rows, places = np.nonzero(near >= 0)
    chosen = near[rows, places]
    candidates[rows, chosen] = products[rows, chosen]
    ids, _ = index.hierarchical(WANTED, DESIRED, K, exclude, 25, only)
    np.testing.assert_array_equal(ids, brute_force(-candidates, index, K, None))


def test_blocks_of_queries_have_their_own_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index(CODES, VECTORS)
    whole = index.hierarchical(WANTED, DESIRED, K, EXCLUDED, 25, PER_QUERY)
    monkeypatch.setattr("hashgnn.search.index._CANDIDATE_LISTS", 2)
    parts = index.hierarchical(WANTED, DESIRED, K, EXCLUDED, 25, PER_QUERY)
    np.testing.assert_array_equal(whole, parts)


def test_lists_may_repeat_items_and_come_as_a_matrix() -> None:
    index = Index(CODES[:5])
    once = index.hamming(WANTED[:2], 3, None, csr_of([1, 4], []))
    twice = index.hamming(WANTED[:2], 3, None, csr_of([4, 1, 4], []))
    matrix = sparse.csr_array(np.array([[0, 1, 0, 0, 1], [0] * 5]))
    np.testing.assert_array_equal(once, twice)
    np.testing.assert_array_equal(once, index.hamming(WANTED[:2], 3, None, matrix))
    assert set(once[0][0].tolist()) == {1, 4, -1}
    assert once[0][1].tolist() == [-1, -1, -1]


def test_nothing_allowed_finds_nothing() -> None:
    index, none = Index(CODES, VECTORS), np.empty(0, dtype=np.int64)
    for ids, _ in (
        index.hamming(WANTED, 2, None, none),
        index.continuous(DESIRED, 2, None, none),
        index.hierarchical(WANTED, DESIRED, 2, None, 5, none),
    ):
        assert ids.tolist() == [[-1, -1]] * QUERIES


@pytest.mark.parametrize(
    ("only", "message"),
    [
        (np.array([3, 700]), "item 700: expected 0 to 699"),
        (np.array([-1, 3]), "item -1: expected 0 to 699"),
        (np.array([0.5]), r"ids are float64 \[1\], expected whole numbers"),
        (np.array([[1]]), r"ids are int64 \[1, 1\], expected whole numbers"),
        (csr_of([700], *[[]] * 8), "item 700: expected 0 to 699"),
    ],
)
def test_unfit_lists(only: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Index(CODES).hamming(WANTED, 3, None, only)


def test_codes_of_positions() -> None:
    index, places = Index(CODES), np.array([699, 0, 5, 511, 512])
    assert index.planes is not None
    np.testing.assert_array_equal(codes_at(index.planes, places), CODES[index.order[places]])


def same_answers(index: Index, ids: np.ndarray) -> None:
    """As a brute force over the items ``ids``, in the index's own order of ties."""
    keys = np.full((QUERIES, index.ids_below), np.inf)
    keys[:, ids] = _kernels.distances(WANTED, CODES[ids])
    np.testing.assert_array_equal(index.hamming(WANTED, K)[0], brute_force(keys, index, K, None))
    keys[:, ids] = -(DESIRED @ VECTORS[ids].T)
    found = index.continuous(DESIRED, K)[0]
    np.testing.assert_array_equal(found, brute_force(keys, index, K, None))


@pytest.fixture
def changed() -> tuple[Index, np.ndarray]:
    """Of items 0 to 399, 100 to 149 removed and 450 to 699 added."""
    index = Index(CODES[:400], VECTORS[:400])
    index.remove(np.arange(100, 150))
    index.add(CODES[450:], VECTORS[450:], np.arange(450, ITEMS))
    return index, np.concatenate([np.arange(100), np.arange(150, 400), np.arange(450, ITEMS)])


def test_items_come_and_go(changed: tuple[Index, np.ndarray]) -> None:
    index, ids = changed
    assert sorted(index.order.tolist()) == ids.tolist()
    same_answers(index, ids)
    index.add(CODES[100:150], VECTORS[100:150], np.arange(100, 150))
    same_answers(index, np.sort(np.concatenate([ids, np.arange(100, 150)])))


def test_new_items_are_not_last_among_ties() -> None:
    index = Index(np.zeros((500, 1), dtype=np.uint8))
    index.add(np.zeros((500, 1), dtype=np.uint8), None)
    first = index.hamming(np.zeros((1, 1), dtype=np.uint8), 200)[0]
    # Binomial(200, 1/2), without replacement: 5 standard deviations are 35.
    assert 65 < (first >= 500).sum() < 135
    assert index.ids_below == 1000


def test_a_changed_index_is_saved(changed: tuple[Index, np.ndarray], tmp_path: Path) -> None:
    index, ids = changed
    index.save(tmp_path)
    loaded = Index.load(tmp_path)
    assert loaded.ids_below == index.ids_below
    same_answers(loaded, ids)


def test_removed_items_may_still_be_named(changed: tuple[Index, np.ndarray]) -> None:
    index, _ = changed
    gone = csr_of(*[[120, 200]] * QUERIES)
    expected = index.hamming(WANTED, K, csr_of(*[[200]] * QUERIES))
    np.testing.assert_array_equal(index.hamming(WANTED, K, gone), expected)
    assert set(index.hamming(WANTED, 3, None, gone)[0].ravel().tolist()) == {200, -1}
    assert set(index.hamming(WANTED, 3, None, np.array([120, 200]))[0].ravel()) == {200, -1}


@pytest.mark.parametrize(
    ("codes", "vectors", "ids", "message"),
    [
        (CODES[:2], VECTORS[:2], [5, 700], "item 5: already in the index; remove it first"),
        (CODES[:2], VECTORS[:2], [700, 700], "2 ids, 1 distinct, for 2 items"),
        (CODES[:2], VECTORS[:2], [700], "1 ids, 1 distinct, for 2 items"),
        (CODES[:2], VECTORS[:2], [-1, 700], "item -1: expected 0 to"),
        (CODES[:2], VECTORS[:1], None, "2 codes but 1 vectors"),
        (CODES[:2], None, None, "the index has vectors; add items with them"),
        (CODES[:2, :2], VECTORS[:2], None, "codes have 16 bits, expected 24"),
        (CODES[:2], VECTORS[:2, :5], None, "vectors have 5 dimensions, expected 6"),
    ],
)
def test_unfit_items(codes: Any, vectors: Any, ids: Any, message: str) -> None:
    index = Index(CODES, VECTORS)
    with pytest.raises(InputError, match=message):
        index.add(codes, vectors, ids)
    assert len(index) == ITEMS
    with pytest.raises(InputError, match="the index has no vectors; add items without them"):
        Index(CODES).add(CODES[:1], VECTORS[:1])


def test_an_item_that_is_not_there_cannot_be_removed(changed: tuple[Index, np.ndarray]) -> None:
    with pytest.raises(InputError, match="item 120: not in the index"):
        changed[0].remove([3, 120])
    assert 3 in changed[0].order
