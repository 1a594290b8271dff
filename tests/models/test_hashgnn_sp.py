from dataclasses import replace

import numpy as np
import pytest

from hashgnn.errors import InputError
from hashgnn.models import hashgnn_sp
from tests.training.planted import BITS, N_ITEMS, N_USERS, check_codes, planted_task, train


def test_codes_find_the_groups_of_the_vectors() -> None:
    check_codes(train(hashgnn_sp))


def test_only_a_hash_layer_is_trained() -> None:
    rng = np.random.default_rng(0)
    given = tuple(rng.standard_normal((n, 4)).astype(np.float32) for n in (N_USERS, N_ITEMS))

    fitted = train(hashgnn_sp, replace(planted_task(), pretrained=given), epochs=3)

    vectors = (fitted.user_vectors, fitted.item_vectors)
    for before, after in zip(given, vectors, strict=True):
        inputs = np.hstack([before, np.ones((len(before), 1))])  # artanh(z) = W v + b
        residuals = np.linalg.lstsq(inputs, np.arctanh(after.astype(np.float64)))[1]
        assert residuals == pytest.approx(np.zeros(BITS), abs=1e-6)


def test_it_asks_for_vectors() -> None:
    with pytest.raises(InputError, match="name it with the key pretrained"):
        train(hashgnn_sp, replace(planted_task(), pretrained=None))
