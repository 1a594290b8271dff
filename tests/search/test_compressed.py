"""Parts that a catalogue can train, and indexes of FAISS to time a search by."""

import faiss
import numpy as np
import pytest

from hashgnn.errors import InputError
from hashgnn.search.compressed import Compression, Parts, divide, index_to_time


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
