"""Each kernel against its plain NumPy reference."""

import numpy as np
import pytest

from hashgnn.data.interactions import Csr
from hashgnn.search import _kernels, exact
from hashgnn.search._kernels import bit_planes

SIZES = [0, 1, 63, 64, 511, 512, 513, 1600]


def draw_codes(rows: int, width: int, kinds: int, seed: int) -> np.ndarray:
    """Codes of which ``kinds`` differ at most: the fewer, the more ties."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (kinds, width), dtype=np.uint8)[random.integers(0, kinds, rows)]


def draw_excluded(rows: int, n_items: int, seed: int) -> tuple[np.ndarray, Csr]:
    """A third of the items of each query, as a table and in rows."""
    table = np.random.default_rng(seed).random((rows, n_items)) < 1 / 3
    indptr = np.concatenate([[0], np.cumsum(table.sum(axis=1))])
    return table, Csr(indptr, np.nonzero(table)[1].astype(np.int32))


def chosen(values: np.ndarray, places: np.ndarray, missing: float) -> np.ndarray:
    """``values`` [Q, I] at ``places`` [Q, k], ``missing`` at -1."""
    if not values.shape[1]:
        return np.full(places.shape, missing)
    found = np.take_along_axis(values, np.maximum(places, 0), axis=1)
    return np.where(places < 0, missing, found)


def test_the_reference_of_planes_is_the_layout_that_is_documented() -> None:
    codes = draw_codes(700, 2, 700, 0)
    planes = _kernels.planes(codes)

    for item, plane in ((0, 0), (63, 5), (64, 15), (511, 8), (512, 3), (699, 9)):
        word = planes[item // 512, plane, item % 512 // 64]
        assert (
            word >> np.uint64(item % 64) & np.uint64(1) == codes[item, plane // 8] >> plane % 8 & 1
        )
    assert planes.shape == (2, 16, 8)


@pytest.mark.parametrize("n_items", SIZES)
@pytest.mark.parametrize("width", [1, 3, 8])
def test_bit_planes(n_items: int, width: int) -> None:
    codes = draw_codes(n_items, width, 1000, n_items)

    np.testing.assert_array_equal(bit_planes.to_planes(codes), _kernels.planes(codes))


@pytest.mark.parametrize("width", [1, 3, 16])
def test_masks_and_patterns(width: int) -> None:
    codes = draw_codes(7, width, 1000, width)
    bits = np.unpackbits(codes, axis=1, bitorder="little")

    masks = bit_planes.to_masks(codes)
    np.testing.assert_array_equal(masks, np.where(bits, np.uint64(2**64 - 1), np.uint64(0)))
    filled = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 3))).astype(int)
    patterns = filled[:, 0::3] + 2 * filled[:, 1::3] + 4 * filled[:, 2::3]
    np.testing.assert_array_equal(bit_planes.to_patterns(codes, 16), 16 * patterns)
    weights = np.random.default_rng(width).integers(0, 8, bits.shape, dtype=np.uint8)
    planes = np.stack([bits, weights & 1, weights >> 1 & 1, weights >> 2], axis=2)
    np.testing.assert_array_equal(
        bit_planes.to_weighted_masks(codes, weights, 3),
        np.where(planes, np.uint64(2**64 - 1), np.uint64(0)),
    )


@pytest.mark.parametrize("n_items", SIZES)
@pytest.mark.parametrize("n_queries", [1, 5, 33])  # one by one, and tabulated
@pytest.mark.parametrize("kinds", [2, 1000])
@pytest.mark.parametrize("k", [1, 100, 1700])
def test_hamming_scan(n_items: int, n_queries: int, kinds: int, k: int) -> None:
    codes, queries = draw_codes(n_items, 3, kinds, 1), draw_codes(n_queries, 3, kinds, 2)
    table, excluded = draw_excluded(n_queries, n_items, 3)
    items = exact.Items(_kernels.planes(codes), n_items)
    distances = _kernels.distances(queries, codes)
    expected = _kernels.best(distances, k, table)

    found = exact.nearest(items, queries, k, excluded)

    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[1], chosen(distances, expected, -1))
    counts = exact.level_counts(items, queries, k, excluded)
    for row in range(n_queries):
        left = distances[row, ~table[row]]
        last = np.sort(left)[:k][-1] if len(left) else -1
        levels = np.bincount(left, minlength=25)[: last + 1]
        np.testing.assert_array_equal(counts[row, : last + 1], levels)


@pytest.mark.parametrize("n_items", SIZES)
@pytest.mark.parametrize("n_queries", [1, 33])
@pytest.mark.parametrize("kinds", [2, 1000])
@pytest.mark.parametrize("k", [1, 100, 1700])
def test_weighted_scan(n_items: int, n_queries: int, kinds: int, k: int) -> None:
    codes, queries = draw_codes(n_items, 3, kinds, 1), draw_codes(n_queries, 3, kinds, 2)
    weights = np.random.default_rng(4).integers(0, 8, (n_queries, 24), dtype=np.uint8)
    table, excluded = draw_excluded(n_queries, n_items, 3)
    items = exact.Items(_kernels.planes(codes), n_items)
    distances = _kernels.weighted_distances(queries, weights, codes)
    expected = _kernels.best(distances, k, table)

    found = exact.nearest_weighted(items, queries, weights, 3, k, excluded)

    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[1], chosen(distances, expected, -1))


def test_weights_of_one_are_no_weights() -> None:
    codes, queries = draw_codes(9, 3, 9, 1), draw_codes(4, 3, 9, 2)
    weights = np.ones((4, 24), dtype=np.uint8)

    np.testing.assert_array_equal(
        _kernels.weighted_distances(queries, weights, codes), _kernels.distances(queries, codes)
    )


@pytest.mark.parametrize("n_items", SIZES[1:])
def test_signed_sums(n_items: int) -> None:
    codes = draw_codes(n_items, 5, 1000, 1)
    random = np.random.default_rng(n_items)
    queries = random.normal(size=(6, 40))
    positions = random.integers(-1, n_items, (6, 30), dtype=np.int32)
    sums = np.empty(positions.shape)

    bit_planes.signed_sums(bit_planes.to_planes(codes), queries, positions, sums)

    expected = chosen(_kernels.signed_sums(queries, codes), positions, -np.inf)
    np.testing.assert_array_equal(sums, expected)


def test_distances_of_pairs() -> None:
    codes, queries = draw_codes(700, 5, 700, 1), draw_codes(4, 5, 700, 2)
    table, pairs = draw_excluded(4, 700, 3)
    items = exact.Items(bit_planes.to_planes(codes), 700)

    found = exact.pair_distances(items, queries, pairs)

    np.testing.assert_array_equal(found, _kernels.distances(queries, codes)[table])


@pytest.mark.parametrize("n_items", SIZES)
@pytest.mark.parametrize("n_queries", [1, 2, 3, 13])  # one by one, and in rows
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("k", [1, 100, 1700])
def test_inner_products(n_items: int, n_queries: int, ties: bool, k: int) -> None:
    random = np.random.default_rng(n_items)
    items, queries = (
        random.normal(size=(rows, 37)).astype(np.float32) for rows in (n_items, n_queries)
    )
    if ties:
        items, queries = np.sign(items), np.sign(queries)
    table, excluded = draw_excluded(n_queries, n_items, 3)
    products = _kernels.products(queries, items)
    expected = _kernels.best(-products, k, table)

    found, scores = exact.largest(queries, items, k, excluded)

    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(scores, chosen(products, expected, -np.inf))


@pytest.mark.parametrize("n_items", SIZES[1:])
@pytest.mark.parametrize("n_candidates", [1, 3, 4, 30])
@pytest.mark.parametrize("k", [1, 7, 40])
def test_inner_products_of_candidates(n_items: int, n_candidates: int, k: int) -> None:
    random = np.random.default_rng(n_items)
    items, queries = (random.normal(size=(rows, 21)).astype(np.float32) for rows in (n_items, 6))
    ranks = np.argsort(random.random((6, n_items)), axis=1)[:, :n_candidates].astype(np.int32)
    candidates = np.full((6, n_candidates), -1, dtype=np.int32)  # -1 where there are fewer
    candidates[:, : ranks.shape[1]] = ranks
    others = np.ones((6, n_items), dtype=bool)
    np.put_along_axis(others, ranks, False, axis=1)
    products = _kernels.products(queries, items)
    expected = _kernels.best(-products, k, others)

    found, scores = exact.rerank(queries, items, candidates, k)

    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(scores, chosen(products, expected, -np.inf))
