"""The benchmark of updates: models of more and of less data are compared on the same items."""

import numpy as np
import pytest

from benchmarks.updates import _recalls
from hashgnn import HashGNN
from hashgnn.data.interactions import Csr


def test_items_and_users_that_a_model_lacks_are_missed() -> None:
    """Lists are longer than there are items, so a recall is the share that the model knows."""
    old = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 2, 0, 2])
    new = np.array([1, 3]), np.array([3, 0])  # item 3 and user 3 come at night
    # Item 4 has no interaction besides the tested one, so it is not relevant.
    test = Csr(np.array([0, 2, 2, 5, 6]), np.array([2, 3, 1, 3, 4, 1], np.int32))
    known = np.array([True, True, True, True, False])
    model = HashGNN(8, method="als", epochs=1, validation=0.4, refit=True).fit(old)

    before = _recalls(model, test, known)
    after = _recalls(model.update(new), test, known)

    assert before.keys() == {"hamming", "hierarchical", "continuous"}
    for recall in before.values():
        assert recall == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert list(after.values()) == [1, 1, 1]
