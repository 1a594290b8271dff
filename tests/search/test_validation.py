"""What an index refuses to be given, and what it takes in another form."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.search import Index

RANDOM = np.random.default_rng(0)
CODES = RANDOM.integers(0, 256, (20, 4), dtype=np.uint8)
VECTORS = RANDOM.standard_normal((20, 3)).astype(np.float32)
INDEX = Index(CODES, VECTORS)

Call = Callable[..., Any]
SEARCHES: dict[str, Call] = {
    "hamming": lambda k=5, **options: INDEX.hamming(CODES[:4], k, **options),
    "continuous": lambda k=5, **options: INDEX.continuous(VECTORS[:4], k, **options),
    "hierarchical": lambda k=5, **options: INDEX.hierarchical(CODES[:4], VECTORS[:4], k, **options),
}


def spoiled(number: float) -> np.ndarray:
    vectors = VECTORS.copy()
    vectors[3, 1] = number
    return vectors


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e17, -3e38])
@pytest.mark.parametrize(
    "call",
    [
        lambda vectors: Index(vectors=vectors),
        lambda vectors: Index(CODES, vectors),
        lambda vectors: INDEX.continuous(vectors, 5),
        lambda vectors: INDEX.hierarchical(CODES, vectors, 5),
    ],
)
def test_numbers_that_have_no_order_are_named(call: Call, number: float) -> None:
    with pytest.raises(InputError, match=r"^vectors: row 3 holds .*; expected finite numbers"):
        call(spoiled(number))


def test_the_largest_numbers_still_have_finite_products() -> None:
    vectors = np.full((20, 1000), 1e16, np.float32)
    vectors[::2] *= -1
    ids, scores = Index(vectors=vectors).continuous(vectors[:2], 20)
    assert np.isfinite(scores).all()
    assert [sorted(row) for row in ids.tolist()] == [list(range(20))] * 2


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("k", [0, -1, 2.0, True, None, "3", np.float32(3), 2**31, [3]])
def test_k_is_a_whole_number_from_one_on(search: str, k: Any) -> None:
    with pytest.raises(InputError, match=r"^k: expected a whole number from 1 to"):
        SEARCHES[search](k)


@pytest.mark.parametrize("candidates", [0, -1, 2.5, True, None])
def test_candidates_are_a_whole_number_from_one_on(candidates: Any) -> None:
    with pytest.raises(InputError, match=r"^candidates: expected a whole number from 1 to"):
        SEARCHES["hierarchical"](candidates=candidates)


@pytest.mark.parametrize("seed", [-1, 2**64, 0.5, None, "0"])
def test_tie_seeds_are_whole_numbers(seed: Any) -> None:
    with pytest.raises(InputError, match=r"^tie_seed: expected a whole number from 0"):
        Index(CODES, tie_seed=seed)


@pytest.mark.parametrize("search", SEARCHES)
def test_numbers_of_numpy_and_more_than_there_are_items(search: str) -> None:
    ids, scores = SEARCHES[search](np.int64(20))
    longer = SEARCHES[search](np.uint8(23))
    np.testing.assert_array_equal(longer[0], np.pad(ids, ((0, 0), (0, 3)), constant_values=-1))
    np.testing.assert_array_equal(longer[1][:, :20], scores)
    assert (longer[1][:, 20:] == (-1 if search == "hamming" else -np.inf)).all()
    assert [array.dtype for array in longer] == [ids.dtype, scores.dtype]


@pytest.mark.parametrize("search", SEARCHES)
def test_padding_bars_nothing(search: str) -> None:
    """The lists of a search, -1 where there was nothing, may be the next one's excluded items."""
    rows = [[3, -1, 7], [-1, -1], [], [5, 5, -1, 0]]
    clean = [[3, 7], [], [], [0, 5]]
    given, expected = (SEARCHES[search](exclude=csr(some)) for some in (rows, clean))
    for one, other in zip(given, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert all(not set(row) & set(ids) for row, ids in zip(clean, given[0].tolist(), strict=True))


def csr(rows: list[list[int]]) -> Csr:
    indptr = np.cumsum([0, *map(len, rows)])
    return Csr(indptr, np.array([item for row in rows for item in row], dtype=np.int32))


FORMATS = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("square", [True, False])
def test_sparse_matrices_of_any_format(search: str, form: str, square: bool) -> None:
    index = INDEX if not square else Index(CODES[:4], VECTORS[:4])
    dense = np.random.default_rng(1).random((4, len(index))) < 0.3
    expected = csr([np.flatnonzero(row).tolist() for row in dense])
    for kind in (f"{form}_matrix", f"{form}_array"):
        matrix = getattr(sparse, kind)(dense.astype(np.float32))
        for one, other in zip(
            find(index, search, matrix), find(index, search, expected), strict=True
        ):
            np.testing.assert_array_equal(one, other)


def find(index: Index, search: str, exclude: Any) -> tuple[np.ndarray, np.ndarray]:
    queries = {"hamming": [CODES[:4]], "continuous": [VECTORS[:4]]}
    return getattr(index, search)(
        *queries.get(search, [CODES[:4], VECTORS[:4]]), 3, exclude=exclude
    )


def test_stored_zeros_are_no_items() -> None:
    matrix = sparse.csr_array((np.array([0.0, 1.0]), ([1, 1], [2, 3])), shape=(4, 20))
    ids, _ = INDEX.hamming(CODES[:4], 20, matrix)
    assert (ids[1] >= 0).sum() == 19
    assert matrix.nnz == 2  # left as it was


@pytest.mark.parametrize(
    ("exclude", "message"),
    [
        (csr([[20], [], [], []]), "item 20: expected 0 to 19, or -1 for padding"),
        (csr([[-2], [], [], []]), "item -2: expected 0 to 19"),
        (csr([[1], [2], [3]]), "3 rows of items for 4 queries; give one row each"),
        (Csr(np.array([0, 2, 1, 2, 2]), np.arange(2)), "indptr must ascend within 0 to 2"),
        (Csr(np.array([0, 1, 1, 1, 9]), np.arange(2)), "indptr must ascend within 0 to 2"),
        (Csr(np.array([-1, 1, 1, 1, 2]), np.arange(2)), "indptr must ascend within 0 to 2"),
        (Csr(np.zeros(5, np.int64), np.zeros((1, 2), np.int32)), r"indices is int32 \[1, 2\]"),
        (Csr(np.arange(5.0), np.arange(4)), "indptr is float64"),
        (Csr(np.arange(5), np.arange(4.0)), "indices is float64"),
        (sparse.csc_matrix((4, 19)), r"matrix of shape \[4, 19\], expected \[4, 20\]"),
        (sparse.csr_array((20, 4)), r"matrix of shape \[20, 4\], expected \[4, 20\]"),
        (np.zeros((4, 20), bool), "rows of items are a ndarray; give a Csr"),
        ([[1], [2], [3], [4]], "rows of items are a list"),
        ({1, 2}, "rows of items are a set"),
    ],
)
@pytest.mark.parametrize("search", SEARCHES)
def test_rows_of_items_that_cannot_be_are_named(search: str, exclude: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SEARCHES[search](exclude=exclude)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Index([[0.5]]), "codes are float64"),
        (lambda: Index("codes"), "codes are <U5"),
        (lambda: Index([[1], [2, 3]]), "codes: cannot be converted to an array"),
        (lambda: Index(np.zeros(3, np.uint8)), r"codes are uint8 \[3\], expected uint8"),
        (lambda: Index(CODES.astype(np.int8)), "codes are int8"),
        (lambda: Index(CODES, VECTORS[:5]), "20 codes but 5 vectors"),
        (lambda: Index(vectors=VECTORS.astype(np.float64)), "vectors are float64"),
        (lambda: INDEX.hamming(CODES[0], 3), r"codes are uint8 \[4\]"),
        (lambda: INDEX.hamming(None, 3), "codes are object"),
        (lambda: INDEX.continuous(VECTORS[:, :2], 3), r"vectors are float32 \[20, 2\], expected"),
        (lambda: INDEX.continuous(VECTORS.astype(">f4"), 3), "vectors are >f4"),
        (lambda: INDEX.hierarchical(CODES[:2], VECTORS[:3], 3), "2 query codes but 3 query vec"),
    ],
)
def test_unfit_arrays_are_named(call: Call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_arrays_in_any_order_of_memory() -> None:
    spread = np.zeros((20, 8), np.uint8)
    spread[:, ::2] = CODES
    index = Index(np.asfortranarray(CODES), np.asfortranarray(VECTORS))
    for codes in (np.asfortranarray(CODES), spread[:, ::2], CODES.tolist() and CODES[::-1][::-1]):
        np.testing.assert_array_equal(index.hamming(codes, 5)[0], INDEX.hamming(CODES, 5)[0])
    for one, other in zip(
        index.hierarchical(CODES, np.asfortranarray(VECTORS), 5),
        INDEX.hierarchical(CODES, VECTORS, 5),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
