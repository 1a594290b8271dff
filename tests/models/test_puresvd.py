import numpy as np
import pytest

from hashgnn.errors import InputError
from hashgnn.graph import interaction_matrix
from hashgnn.models import puresvd
from tests.training.planted import N_ITEMS, check_vectors, planted_split, train


def test_vectors_find_the_planted_groups() -> None:
    check_vectors(puresvd)


def test_dimensions_may_differ_from_bits() -> None:
    assert train(puresvd, dimensions=5).user_vectors.shape[1] == 5


def test_scores_are_the_best_approximation() -> None:
    fitted = train(puresvd, dimensions=4)

    exact = interaction_matrix(planted_split().train, N_ITEMS).toarray()
    users, strengths, items = np.linalg.svd(exact)
    best = users[:, :4] * strengths[:4] @ items[:4]
    assert fitted.user_vectors @ fitted.item_vectors.T == pytest.approx(best, abs=1e-5)


def test_no_more_dimensions_than_the_data_have() -> None:
    with pytest.raises(InputError, match=r"PureSVD: expected at most 119 dimensions .*, got 120"):
        train(puresvd, dimensions=120)
