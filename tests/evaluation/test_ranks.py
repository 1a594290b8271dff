"""Levels of tied items, rank by rank."""

import numpy as np

from hashgnn.evaluation.ranks import ranks_of_levels, ranks_of_lists
from tests.helpers import csr_of


def test_levels_by_hand() -> None:
    """Two items, none relevant; none at all; three, two of them relevant, cut at rank 4."""
    ranks = ranks_of_levels(np.array([[2, 0, 3]], np.int32), np.array([[0, 0, 2]], np.int32), 4)

    assert ranks.first.tolist() == [[0, 0, 2, 2]]
    assert ranks.size.tolist() == [[2, 2, 3, 3]]
    assert ranks.relevant.tolist() == [[0, 0, 2, 2]]
    assert ranks.gain.tolist() == [[0, 0, 2 / 3, 2 / 3]]
    assert ranks.hazard.tolist() == [[0, 0, 2 / 3, 1]]  # two of three, then two of two


def test_ranks_beyond_the_last_item_hold_nothing() -> None:
    levels = ranks_of_levels(np.array([[1]], np.int32), np.array([[1]], np.int32), 3)
    lists = ranks_of_lists(np.array([[4, -1, -1]], np.int32), csr_of([4]))

    for ranks in (levels, lists):
        assert ranks.first.tolist() == [[0, 1, 2]]
        assert ranks.size.tolist() == [[1, 1, 1]]
        assert ranks.relevant.tolist() == [[1, 0, 0]]


def test_each_query_has_its_own_relevant_items() -> None:
    ranks = ranks_of_lists(np.array([[3, 1], [3, 1], [1, 3]], np.int32), csr_of([3], [], [1, 3]))

    assert ranks.relevant.tolist() == [[1, 0], [0, 0], [1, 1]]
