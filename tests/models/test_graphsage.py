from dataclasses import replace

import numpy as np
import pytest

from hashgnn.errors import InputError
from hashgnn.models import graphsage
from tests.training.planted import BITS, N_ITEMS, own_group_gap, planted_task, train


def test_vectors_find_the_planted_groups() -> None:
    fitted = train(graphsage)

    assert fitted.item_vectors.shape == (N_ITEMS, BITS)
    assert np.abs(fitted.item_vectors).max() <= 1
    assert own_group_gap(fitted.user_vectors @ fitted.item_vectors.T) > 4


def test_it_asks_for_negatives() -> None:
    with pytest.raises(InputError, match="remove shared_training from"):
        train(graphsage, replace(planted_task(), negatives=None))


def test_it_has_no_hyper_parameters_of_its_own() -> None:
    with pytest.raises(InputError, match=r"parameters.margin: unknown key"):
        train(graphsage, margin=0.2)
