"""Generated users who browse a catalogue: exact sizes, and what real data have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashgnn.data.prepare import prepare
from hashgnn.errors import InputError


def generate(users, items, interactions, keep=None, **others):
    generator = {"users": users, "items": items, "interactions": interactions, **others}
    settings = {"dataset": "x", "reader": "synthetic", "generator": generator}
    return prepare([], {**settings, "filter": keep or {}})


@settings(max_examples=50, deadline=None)
@given(
    st.integers(2, 30),
    st.integers(2, 30),
    st.floats(0, 1),
    st.integers(0, 99),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.5, 1.0]),
)
def test_sizes_are_exact(users, items, fullness, seed, facets, revisits):
    interactions = users + int(fullness * users * (items // 2 - 1))
    more = {"facets": facets, "chance": 0.0, "revisits": revisits, "leaf": 2}
    found = generate(users, items, interactions, seed=seed, **more).interactions
    assert len(found.user) == interactions  # `prepare` drops repeats: there were none
    assert found.n_users == users
    assert np.bincount(found.user).min() >= min(10, interactions // users)


@pytest.mark.parametrize(
    "extreme",
    [
        {"user_spread": 10, "item_spread": 10, "interest_spread": 10},
        {"user_spread": 0, "item_spread": 0, "interest_spread": 0, "interests": 0.001},
        {"leaf": 10_000, "neighborhood": 2**31 - 1, "revisits": 0.9},
        {"leaf": 1, "branching": 1000, "facets": 100, "loyalty": 0},
        {"lifetime": 0.001, "interests": 1000, "loyalty": 1, "chance": 0},
    ],
)
def test_extreme_settings_keep_the_sizes(extreme):
    found = generate(40, 30, 500, **extreme).interactions
    assert (len(found.user), found.n_users) == (500, 40)
    assert np.bincount(found.user).min() >= 10


def test_same_seed_same_data():
    first, again, other = (generate(50, 60, 900, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.interactions.item, again.interactions.item)
    assert not np.array_equal(first.interactions.item, other.interactions.item)
    assert first.user_ids[0].as_py() == "u00"


def test_behaviors_and_times():
    shares = {"click": 0.8, "cart": 0.15, "purchase": 0.05}
    found = generate(200, 300, 20_000, behaviors=shares).interactions
    days = (found.time - 1_511_568_000) // 86_400
    assert np.unique(days).tolist() == list(range(7))
    bought = generate(200, 300, 20_000, {"behaviors": ["cart", "purchase"]}, behaviors=shares)
    assert len(bought.interactions.user) == pytest.approx(0.2 * 20_000, rel=0.1)
    assert bought.rows_read == 20_000


def test_popular_items_have_no_special_numbers():
    found = generate(500, 400, 20_000).interactions
    popularity = np.bincount(found.item, minlength=found.n_items)
    assert abs(np.corrcoef(np.arange(len(popularity)), popularity)[0, 1]) < 0.15
    assert popularity.max() > 4 * np.median(popularity)


def test_degrees_have_heavy_tails():
    found = generate(2000, 1500, 80_000).interactions
    even = generate(2000, 1500, 80_000, user_spread=0.0, item_spread=0.0).interactions
    for side in ("user", "item"):
        tails = [
            np.quantile(degrees, 0.99) / np.median(degrees)
            for degrees in (np.bincount(getattr(data, side)) for data in (found, even))
        ]
        assert tails[0] > 2 * tails[1]


def days_of(lifetime):
    settings = {"behaviors": {"click": 1.0}, "chance": 1.0, "revisits": 0.0, "lifetime": lifetime}
    found = generate(2000, 500, 60_000, **settings).interactions
    return found, (found.time - 1_511_568_000) // 86_400


def test_popularity_rises_and_falls():
    """An item's interactions lie closer together in time than those of all items do."""
    spreads = []
    for lifetime in (0.1, 100.0):
        data, days = days_of(lifetime)
        assert np.unique(days).tolist() == list(range(7))
        popular = np.argsort(-np.bincount(data.item))[:50]
        spreads.append(np.mean([days[data.item == item].std() for item in popular]))
    assert spreads[0] < 0.8 * spreads[1]
    assert spreads[1] == pytest.approx(2.0, abs=0.1)  # of seven days alike


def shared(data, n_pairs=20_000):
    """Mean number of other users who have two items that one user has."""
    matrix = np.zeros((data.n_users, data.n_items), dtype=np.float32)
    matrix[data.user, data.item] = 1
    random = np.random.default_rng(0)
    together = matrix.T @ matrix
    users = random.integers(0, data.n_users, n_pairs)
    pairs = [random.choice(np.flatnonzero(matrix[user]), 2, replace=False) for user in users]
    first, second = np.transpose(pairs)
    return float((together[first, second] - 1).mean())


def test_interests_and_revisits_bring_items_together():
    alike = {"item_spread": 0.0, "facets": 1}
    by_chance, by_revisits, by_interests = (
        shared(generate(1000, 800, 30_000, chance=chance, revisits=revisits, **alike).interactions)
        for chance, revisits in ((1.0, 0.0), (0.2, 0.8), (0.0, 0.0))
    )
    assert by_revisits > 1.3 * by_chance
    assert by_interests > 1.3 * by_chance


def test_a_facet_is_a_hierarchy_of_its_own():
    """With more facets an item has more neighbors, each met less often."""
    one, three = (
        generate(1000, 800, 30_000, facets=facets, loyalty=0.5, item_spread=0.0).interactions
        for facets in (1, 3)
    )
    assert shared(one) > 1.3 * shared(three)


@pytest.mark.parametrize(("users", "items", "interactions"), [(10, 10, 9), (10, 10, 51)])
def test_sizes_that_cannot_be(users, items, interactions):
    with pytest.raises(InputError, match="do not fit"):
        generate(users, items, interactions)


def test_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="reads no files"):
        prepare([tmp_path], {"dataset": "x", "reader": "synthetic", "generator": {}})
