"""The generated data set: exact sizes, repeatable, and neither trivial nor impossible."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import svds

from hashgnn.data.prepare import prepare
from hashgnn.data.split import split
from hashgnn.errors import InputError


def generate(users, items, interactions, keep=None, **others):
    generator = {"users": users, "items": items, "interactions": interactions, **others}
    return prepare(
        [],
        {
            "dataset": "synthetic",
            "reader": "synthetic",
            "generator": generator,
            "filter": keep or {},
        },
    )


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(2, 30), st.floats(0, 1), st.integers(0, 99))
def test_sizes_are_exact(users, items, fullness, seed):
    interactions = users + int(fullness * users * (items // 2 - 1))
    found = generate(users, items, interactions, seed=seed).interactions
    # `prepare` drops repeats: as many as asked for means that there were none.
    assert len(found.user) == interactions
    assert found.n_users == users
    assert np.bincount(found.user).min() >= min(10, interactions // users)


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


def test_learning_pays_and_nothing_is_perfect():
    data = generate(2000, 1500, 80_000).interactions
    parts = split(data, {"by": "random", "test": 0.3, "validation": 0, "seed": 0})
    train, test = (
        sp.csr_array((np.ones(len(part.indices)), part.indices, part.indptr), (2000, data.n_items))
        for part in (parts.train, parts.test)
    )
    popularity = np.tile(train.sum(axis=0), (2000, 1))
    left, values, right = svds(train, k=32, rng=np.random.default_rng(0))
    assert hit_rate(popularity, train, test) < 0.25
    assert 0.3 < hit_rate((left * values) @ right, train, test) < 0.6


def hit_rate(scores, train, test, n=50):
    scores[train.nonzero()] = -np.inf
    best = np.argpartition(-scores, n, axis=1)[:, :n]
    hits = np.take_along_axis(test.toarray(), best, axis=1).sum(axis=1)
    return np.mean(hits / test.sum(axis=1))


@pytest.mark.parametrize(("users", "items", "interactions"), [(10, 10, 9), (10, 10, 51)])
def test_sizes_that_cannot_be(users, items, interactions):
    with pytest.raises(InputError, match="do not fit"):
        generate(users, items, interactions)


def test_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="reads no files"):
        prepare([tmp_path], {"dataset": "x", "reader": "synthetic", "generator": {}})
