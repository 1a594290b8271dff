import math
from dataclasses import replace

import numpy as np
import pytest

from hashgnn.errors import InputError
from hashgnn.models import graphsage, lsh
from hashgnn.models.lsh import hyperplanes, project
from tests.training.planted import PRETRAINED, check_codes, planted_task, train


def test_bits_by_hand() -> None:
    # Sides of the lines x = 0, y = 0 and x + y = 0; a vector on a line is on its positive side.
    planes = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=np.float32)
    vectors = np.array([[2, 1], [-2, 1], [0, -3], [-1, 1]], dtype=np.float32)

    codes = project(vectors, planes)

    assert codes.tolist() == [[0b111], [0b010], [0b001], [0b110]]


@pytest.mark.parametrize("degrees", [10, 60, 120])
def test_bits_differ_in_proportion_to_the_angle(degrees: float) -> None:
    angle = math.radians(degrees)
    planes = hyperplanes(bits=20_000, width=3, seed=1)
    lengths = np.array([[5.0], [0.2]])
    vectors = lengths * [[0, 1, 0], [0, math.cos(angle), math.sin(angle)]]

    codes = np.unpackbits(project(vectors.astype(np.float32), planes), axis=1)

    assert abs((codes[0] != codes[1]).mean() - degrees / 180) < 0.015  # 4 standard deviations


def test_hyperplanes_follow_the_seed() -> None:
    assert np.array_equal(hyperplanes(4, 3, seed=0), hyperplanes(4, 3, seed=0))
    assert not np.array_equal(hyperplanes(4, 3, seed=0), hyperplanes(4, 3, seed=1))


def test_codes_find_the_groups_of_the_vectors() -> None:
    check_codes(train(lsh))


def test_the_vectors_stay_as_they_are() -> None:
    fitted = train(lsh)

    assert fitted.user_vectors is PRETRAINED[0]
    assert fitted.item_vectors is PRETRAINED[1]
    assert list(fitted.history) == list(train(graphsage, epochs=1).history)


def test_it_asks_for_vectors() -> None:
    with pytest.raises(InputError, match="name it with the key pretrained"):
        train(lsh, replace(planted_task(), pretrained=None))
