"""The merge of shards in docs/serving.md is exact."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hashgnn.search import Index
from tests.docs.blocks import blocks


def shard_merge() -> dict:
    code = next(block for block in blocks("docs/serving.md", "python") if "def nearest" in block)
    names: dict = {}
    exec(code, names)
    return names


@settings(deadline=None)  # the first search may compile
@given(st.integers(20, 60), st.integers(20, 60), st.integers(1, 20), st.integers(0, 99))
def test_two_shards_find_what_the_whole_finds(first: int, second: int, k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    codes = random.integers(0, 256, (first + second, 2), dtype=np.uint8)
    query = random.integers(0, 256, (1, 2), dtype=np.uint8)
    shards = [(0, Index(codes[:first])), (first, Index(codes[first:]))]

    rows, distances = shard_merge()["nearest"](shards, query, k)

    np.testing.assert_array_equal(distances, Index(codes).hamming(query, k)[1][0])
    np.testing.assert_array_equal(distances, np.bitwise_count(codes[rows] ^ query).sum(axis=1))
    assert len(set(rows.tolist())) == k
