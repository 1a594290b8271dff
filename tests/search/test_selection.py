"""Searches among some items, and indexes whose items come and go, against a brute force."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.search import Index, _kernels
from hashgnn.search.selection import codes_at
from tests.helpers import csr_of
from tests.search.test_index import brute_force, random_codes, random_rows, random_vectors

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
