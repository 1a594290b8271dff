import numpy as np
import pandas as pd
import pytest

from hashgnn.metrics.interval import bootstrap_interval
from hashgnn.metrics.significance import holm, paired_p
from hashgnn.metrics.tidy import over_seeds


def test_the_interval_of_three_seeds_is_their_range() -> None:
    """All three resamples are the least with probability 1/27, more than 2.5 %."""
    assert bootstrap_interval(np.array([1.0, 2.0, 6.0])) == (1.0, 6.0)


def test_the_interval_of_many_narrows_around_the_mean() -> None:
    values = np.random.default_rng(0).normal(size=400)

    low, high = bootstrap_interval(values)

    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_one_seed_has_no_interval() -> None:
    frame = pd.DataFrame({"model": ["a", "b", "b"], "seed": [0, 0, 1], "value": [1.0, 2.0, 4.0]})

    summary = over_seeds(frame).set_index("model")

    assert summary["mean"].to_dict() == {"a": 1.0, "b": 3.0}
    assert summary["seeds"].to_dict() == {"a": 1, "b": 2}
    assert summary["low"].isna().to_dict() == {"a": True, "b": False}


def test_holm_by_hand() -> None:
    """0.01 x 3, 0.02 x 2, 0.03 x 1 but not below the one before."""
    assert holm([0.03, 0.01, 0.02]).tolist() == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.9, 0.6]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_a_constant_difference_is_significant_and_none_is_not() -> None:
    values = np.linspace(0, 1, 40)
    assert paired_p(values, values) == 1.0
    assert paired_p(values + 0.1, values) < 1e-6
    assert paired_p(values, values + 0.1) < 1e-6


def test_users_without_test_items_do_not_count() -> None:
    one, other = np.array([np.nan, 1.0, 2.0, 3.0]), np.array([0.0, 0.0, 1.0, 3.0])

    assert paired_p(one, other) == paired_p(one[1:], other[1:])
