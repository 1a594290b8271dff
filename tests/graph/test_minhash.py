import numpy as np
import pytest

from hashgnn.data.interactions import Csr
from hashgnn.graph.walks import buckets


@pytest.mark.parametrize("shared", [0, 20, 30, 40])
def test_bands_agree_with_the_chance_of_the_jaccard_similarity(shared: int) -> None:
    # Two sets of 40 with so many in common: s = shared / (80 - shared), a band of two: s^2.
    one, other = np.arange(40), np.arange(40) + 40 - shared
    neighbors = Csr(np.array([0, 40, 80]), np.concatenate([one, other]).astype(np.int32))

    found = buckets(neighbors, bands=4000, rows=2, seed=3)

    agree = (found[0] == found[1]).mean()
    assert agree == pytest.approx((shared / (80 - shared)) ** 2, abs=0.032)


def test_buckets_follow_the_seed() -> None:
    neighbors = Csr(np.array([0, 2]), np.array([3, 8], dtype=np.int32))

    assert np.array_equal(buckets(neighbors, 4, 2, 0), buckets(neighbors, 4, 2, 0))
    assert not (buckets(neighbors, 4, 2, 0) == buckets(neighbors, 4, 2, 1)).any()
