"""Division at one time, and metrics as the workflow's evaluation has them."""

import numpy as np
import pandas as pd
import pytest

from hashgnn import HashGNN, InputError
from hashgnn.config.evaluation import EvaluationSettings
from hashgnn.data.interactions import Interactions
from hashgnn.evaluation.representation import evaluate
from hashgnn.recommender.adapter import TrainingData, adapt
from hashgnn.recommender.model_comparison import Division, divide, measure

DAY = 86_400


def timed(rows: list[tuple[str, str, int]]) -> TrainingData:
    """Rows of user, item and day, in order of user and item."""
    data = adapt(([user for user, _, _ in rows], [item for _, item, _ in rows]))
    old = data.interactions
    times = np.array([DAY * day for _, _, day in rows], dtype=np.int64)
    sizes = old.n_users, old.n_items
    made = Interactions(old.user, old.item, *sizes, old.user_key, old.item_key, times)
    return data._replace(interactions=made)


ROWS = [
    ("anna", "a", 0),
    ("anna", "b", 1),
    ("anna", "c", 9),  # tested
    ("anna", "new", 9),  # an item that training does not know
    ("ben", "c", 2),
    ("late", "a", 9),  # a user that training does not know
    ("zoe", "b", 9),  # tested
    ("zoe", "c", 3),
]


def test_the_last_days_are_tested() -> None:
    train, test, counts = divide(timed(ROWS), {"by": "time", "test_days": 2, "seed": 0})

    assert train.users.text.tolist() == ["anna", "ben", "zoe"]
    assert train.items.text.tolist() == ["a", "b", "c"]
    interactions = train.interactions
    pairs = list(zip(interactions.user.tolist(), interactions.item.tolist(), strict=True))
    assert pairs == [(0, 0), (0, 1), (1, 2), (2, 2)]
    assert test.indptr.tolist() == [0, 1, 1, 2]
    assert test.indices.tolist() == [2, 1]
    assert counts == {
        "train_interactions": 4,
        "train_users": 3,
        "train_items": 3,
        "test_interactions": 2,
        "test_users": 2,
        "left_out_of_new_users": 1,
        "left_out_of_new_items": 1,
    }


def test_nothing_to_test() -> None:
    rows = [("anna", "a", 0), ("ben", "a", 1), ("late", "a", 9)]
    with pytest.raises(InputError, match="nothing to test"):
        divide(timed(rows), {"by": "time", "test_days": 2, "seed": 0})


def test_metrics_are_those_of_the_workflow(planted: pd.DataFrame) -> None:
    train, test, _ = divide(adapt(planted), {"by": "random", "test": 0.3, "seed": 0})
    names = [train.users.text[train.interactions.user], train.items.text[train.interactions.item]]
    model = HashGNN(12, method="mf", epochs=2).fit(tuple(map(list, names))).model_
    seen = model.interactions.csr(np.ones(len(model.interactions.user), dtype=bool))
    expected = evaluate(
        model.users, model.items, test, seen, EvaluationSettings(cutoffs=(3, 10), candidates=500)
    )

    for search in expected.searches:
        few, many = measure(model, search, test, [3, 10])
        for row in (few, many):
            for name, metric in (("recall", "hr"), ("hit_rate", "any_hit"), ("ndcg", "ndcg")):
                value = expected.mean(search, metric, row["n"])
                assert row[name] == pytest.approx(value, abs=1e-12)
        assert 0 < few["coverage"] <= many["coverage"] <= 1
        assert 0 <= many["gini"] < few["gini"] < 1
        assert few["precision"] <= few["hit_rate"]
        assert few["map"] <= few["mrr"] <= few["hit_rate"]


def test_lists_of_popular_items_are_not_novel(planted: pd.DataFrame) -> None:
    division = divide(adapt(planted), {"by": "random", "test": 0.3, "seed": 0})
    assert isinstance(division, Division)
    names = (
        division.train.users.text[division.train.interactions.user].tolist(),
        division.train.items.text[division.train.interactions.item].tolist(),
    )
    found = {}
    for method in ("popularity", "als"):
        settings = {} if method == "popularity" else {"epochs": 15}
        model = HashGNN(8, method=method, **settings).fit(names).model_
        (found[method],) = measure(model, "continuous", division.test, [5])
    assert found["popularity"]["novelty"] < found["als"]["novelty"]
    assert found["popularity"]["gini"] > found["als"]["gini"]
    # Five of the 13 items that are left of a user's group, three of them tested.
    assert found["als"]["recall"] > 0.3 > 0.1 > found["popularity"]["recall"]
