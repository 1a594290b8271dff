"""Intervals and p values, by hand and by simulation of what they promise."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hashgnn.evaluation.statistics import difference, holm, over_seeds, t_interval


def test_the_interval_of_three_seeds_by_hand() -> None:
    """Mean 3, standard deviation sqrt(7), t(0.975; 2) = 4.3027."""
    half = 4.302652729696142 * math.sqrt(7) / math.sqrt(3)

    assert t_interval(np.array([1.0, 2.0, 6.0])) == pytest.approx((3 - half, 3 + half))
    assert t_interval(np.array([0.5, 0.5])) == (0.5, 0.5)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_the_interval_holds_the_mean_as_often_as_it_says(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    intervals = [t_interval(sample) for sample in rng.normal(0.3, 0.01, (4000, seeds))]

    held = np.mean([low <= 0.3 <= high for low, high in intervals])

    assert held == pytest.approx(0.95, abs=0.012)


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


def test_what_was_not_tested_is_no_comparison() -> None:
    corrected = holm([np.nan, 0.01, np.nan, 0.02])

    assert corrected.tolist() == pytest.approx([np.nan, 0.02, np.nan, 0.02], nan_ok=True)
    assert np.isnan(holm([np.nan])).all()


class Spread(NamedTuple):
    """Standard deviations of what users, seeds and single values add; users and seeds."""

    user: float  # of a user's own difference between the methods
    seed: float
    single: float
    users: int = 150
    seeds: int = 3


SPREADS = [
    pytest.param(Spread(0.1, 0.0, 0.02), id="users alone"),
    pytest.param(Spread(0.0, 0.05, 0.0), id="seeds alone"),
    pytest.param(Spread(0.1, 0.01, 0.05), id="both"),
    pytest.param(Spread(0.1, 0.02, 0.05, seeds=5), id="five seeds"),
]


def drawn(spread: Spread, shift: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Values [seeds, users] of two methods, the first ``shift`` above the other."""
    shape = (2, spread.seeds, spread.users)
    common = rng.normal(0.4, 0.2, spread.users)  # users are easy or hard for both
    values = common + spread.single * rng.normal(size=shape)
    values += spread.user / math.sqrt(2) * rng.normal(size=(2, 1, spread.users))
    values += spread.seed * rng.normal(size=(2, spread.seeds, 1))
    return values[0] + shift, values[1]


@pytest.mark.parametrize("spread", SPREADS)
def test_the_interval_of_a_difference_holds_it_as_often_as_it_says(spread: Spread) -> None:
    """Never less often than 95 %, within what 1,500 draws tell; a little more is the safe side."""
    rng = np.random.default_rng(0)
    found = [difference(*drawn(spread, 0.02, rng)) for _ in range(1500)]

    assert 0.935 <= np.mean([f.low <= 0.02 <= f.high for f in found]) <= 0.99


@pytest.mark.parametrize("spread", SPREADS)
def test_methods_that_do_not_differ_are_seldom_said_to(spread: Spread) -> None:
    rng = np.random.default_rng(1)
    p = np.array([difference(*drawn(spread, 0.0, rng)).p for _ in range(1500)])

    assert 0.01 <= np.mean(p < 0.05) <= 0.065


def bootstrapped(values: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Means [draws] of ``values`` [seeds, users] over seeds drawn with replacement."""
    return values[rng.integers(len(values), size=(draws, len(values)))].mean(axis=1)


def test_a_hierarchical_bootstrap_of_three_seeds_holds_a_difference_too_seldom() -> None:
    """Why there is none: seeds and users drawn anew, 95 % percentiles, where seeds matter."""
    rng = np.random.default_rng(3)
    spread, shift, held = Spread(0.0, 0.05, 0.0), 0.02, []
    for _ in range(400):
        one, other = (bootstrapped(v, 400, rng) for v in drawn(spread, shift, rng))
        users = rng.integers(spread.users, size=(400, spread.users))
        means = np.take_along_axis(one - other, users, axis=1).mean(axis=1)
        low, high = np.percentile(means, [2.5, 97.5])
        held.append(low <= shift <= high)

    assert np.mean(held) < 0.9


def test_a_test_given_the_seeds_would_say_so_too_often() -> None:
    """Why the seeds count: what users alone tell is of these trainings, not of the methods."""
    rng = np.random.default_rng(2)
    spread = Spread(0.1, 0.02, 0.05)
    pairs = [drawn(spread, 0.0, rng) for _ in range(500)]

    of_users = [stats.wilcoxon(one.mean(0) - other.mean(0)).pvalue for one, other in pairs]

    assert np.mean(np.array(of_users) < 0.05) > 0.3


def test_two_methods_by_hand() -> None:
    """Seeds' means 1, 3 and 0, 1; users' differences 2 and 1; variances over their numbers.

    1 + 0.25 + 0.25 of one degree of freedom each: 1.5^2 / (1 + 2 / 16) = 2.
    """
    one, other = np.array([[1.0, 1.0], [3.0, 3.0]]), np.array([[-0.5, 0.5], [0.5, 1.5]])

    found = difference(one, other)

    half = stats.t.ppf(0.975, 2) * math.sqrt(1.5)
    assert found.mean == 1.5
    assert (found.low, found.high) == pytest.approx((1.5 - half, 1.5 + half))
    assert found.p == pytest.approx(2 * stats.t.sf(1.5 / math.sqrt(1.5), 2))


def test_equal_methods_and_a_constant_difference() -> None:
    values = np.tile(np.linspace(0, 1, 40), (2, 1))

    assert difference(values, values) == (0.0, 0.0, 0.0, 1.0)
    assert difference(values + 0.5, values).p == 0.0


def test_users_without_test_items_do_not_count() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 3, 20))
    one[:, 0] = other[:, 0] = np.nan

    assert difference(one, other) == difference(one[:, 1:], other[:, 1:])


@pytest.mark.parametrize(
    ("one", "other", "known"),
    [
        pytest.param(np.full((3, 8), np.nan), np.ones((3, 8)), False, id="no values"),
        pytest.param(np.ones((3, 0)), np.ones((3, 0)), False, id="no users"),
        pytest.param(np.ones((1, 8)), np.zeros((3, 8)), True, id="one seed"),
        pytest.param(np.ones((3, 8)), np.zeros((1, 8)), True, id="one seed of the other"),
        pytest.param(np.ones((3, 1)), np.zeros((3, 1)), True, id="one user"),
    ],
)
def test_what_nothing_tells_is_nan(one: np.ndarray, other: np.ndarray, known: bool) -> None:
    found = difference(one, other)

    assert np.isnan(found[1:]).all()
    assert found.mean == 1.0 if known else np.isnan(found.mean)
