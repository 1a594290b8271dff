"""Inverted lists: exact when every list is looked into, whole or not there on disk; parts."""

from pathlib import Path

import faiss
import numpy as np
import pytest

from hashgnn.errors import InputError
from hashgnn.search.approximate import Compression, Parts, divide, index_to_time

pytest.importorskip("faiss")

from hashgnn.search import Index
from hashgnn.search.approximate import ApproximateIndex


def clustered(rows: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    centers = np.random.default_rng(9).standard_normal((20, 32))
    points = centers[random.integers(0, 20, rows)] + 0.3 * random.standard_normal((rows, 32))
    return np.packbits(points >= 0, axis=1, bitorder="little")


CODES, QUERIES = clustered(3000, 0), clustered(40, 1)


def recall(index: ApproximateIndex, k: int) -> float:
    """Share of the items found that are no farther than the k-th nearest."""
    _, exact = Index(CODES).hamming(QUERIES, k)
    found, distances = index.hamming(QUERIES, k)
    return float(((found >= 0) & (distances <= exact[:, -1:])).mean())


def test_all_lists_probed_is_exact() -> None:
    index = ApproximateIndex(CODES, lists=16, probes=16)
    found, distances = index.hamming(QUERIES, 50)
    np.testing.assert_array_equal(distances, Index(CODES).hamming(QUERIES, 50)[1])
    apart = np.bitwise_count(CODES[found] ^ QUERIES[:, None]).sum(axis=2)
    np.testing.assert_array_equal(distances, apart)
    assert found.dtype == distances.dtype == np.int32


def test_more_probes_find_more() -> None:
    index = ApproximateIndex(CODES, lists=20, probes=1)
    one = recall(index, 100)
    index.probes = 5
    assert 0.3 < one < recall(index, 100) <= 1
    assert recall(index, 100) > 0.9


def test_fewer_than_k_found_leaves_gaps_at_the_end() -> None:
    found, distances = ApproximateIndex(CODES, lists=500, probes=1).hamming(QUERIES, 100)
    missing = found < 0
    assert missing.any()
    np.testing.assert_array_equal(distances[missing], -1)
    assert (np.diff(missing.astype(int), axis=1) >= 0).all()


def test_a_saved_index_answers_alike(tmp_path: Path) -> None:
    index = ApproximateIndex(CODES, lists=16, probes=3)
    index.save(tmp_path)
    loaded = ApproximateIndex.load(tmp_path)
    assert (len(loaded), loaded.probes) == (3000, 3)
    for one, other in zip(index.hamming(QUERIES, 9), loaded.hamming(QUERIES, 9), strict=True):
        np.testing.assert_array_equal(one, other)
    (tmp_path / "approximate.json").unlink()
    with pytest.raises(InputError, match="not a saved index"):
        ApproximateIndex.load(tmp_path)


@pytest.mark.parametrize(
    ("lists", "probes", "message"),
    [
        (0, 1, "lists: expected a whole number from 1 to 3000, got 0"),
        (5000, 1, "lists: expected a whole number from 1 to 3000, got 5000"),
        (4, 5, "probes: expected a whole number from 1 to 4, got 5"),
        (4, 0, "probes: expected a whole number from 1 to 4, got 0"),
    ],
)
def test_wrong_numbers_are_named(lists: int, probes: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ApproximateIndex(CODES, lists, probes).hamming(QUERIES, 3)


@pytest.mark.parametrize(
    ("n_items", "bits", "most", "expected"),
    [
        (78, 32, 8, Parts(32, 1)),
        (3706, 32, 8, Parts(5, 6)),  # 64 centroids: 95 would have 39 items each
        (9984, 32, 8, Parts(4, 8)),  # 39 for each of 256
        (9983, 32, 8, Parts(4, 7)),
        (10**6, 32, 8, Parts(4, 8)),
        (10**6, 32, 4, Parts(8, 4)),
        (10**6, 512, 8, Parts(40, 8)),  # no more parts than dimensions
        (10**6, 4, 8, Parts(1, 4)),
    ],
)
def test_parts(n_items: int, bits: int, most: int, expected: Parts) -> None:
    parts = divide(n_items, 40, bits, most)

    assert parts == expected
    assert parts.number * parts.bits <= bits


def test_parts_of_too_few_items() -> None:
    with pytest.raises(InputError, match="expected at least 78 items, got 77"):
        divide(77, 24, 32, 8)


@pytest.mark.parametrize(
    ("kind", "width", "kept"),
    [
        (
            "pq",
            24,
            3,
        ),  # three centroids of 8 bits in 3 bytes: 7 bits each can be trained, 21 in all
        ("opq", 24, 3),
        ("rabitq", 24, 3 + 8),
    ],
)
def test_an_index_to_time_has_as_many_codes_of_the_size_as_are_wanted(
    kind: Compression, width: int, kept: int
) -> None:
    items = np.random.default_rng(0).standard_normal((5000, width), dtype=np.float32)

    index = index_to_time(items, 24, kind, 8, n_items=12_000)

    assert index.ntotal == 12_000
    assert index.sa_code_size() == kept
    scores, found = index.search(items[:3], 5)
    assert scores.shape == found.shape == (3, 5)
    assert isinstance(index, faiss.IndexPreTransform) == (kind == "opq")
