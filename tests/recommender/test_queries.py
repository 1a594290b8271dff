"""Items that are allowed or forbidden, unknown ids, and what is similar."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from hashgnn import HashGNN, InputError
from tests.recommender.conftest import ITEMS

USER, OTHER = "üser 17", "üser 3"
NEIGHBOR_SEARCHES = ["hierarchical", "hamming", "continuous"]
SEARCHES = [*NEIGHBOR_SEARCHES, "asymmetric"]


def lists(found: pd.DataFrame) -> dict[str, list[Any]]:
    return found.groupby("user", sort=False)["item"].apply(list).to_dict()


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("few", [True, False], ids=["excluded", "by a smaller index"])
def test_forbidden_items_are_never_recommended(
    fitted: HashGNN, search: Any, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hashgnn.recommender.queries._LISTED", 1000 if few else 0)
    every = fitted.recommend([USER, OTHER], n=90, search=search, exclude_known=False)
    never = every.item[:12].tolist()

    found = fitted.recommend(
        [USER, OTHER], n=8, search=search, exclude_known=False, filter_items=never
    )

    expected = {
        user: [item for item in items if item not in never][:8]
        for user, items in lists(every).items()
    }
    assert lists(found) == expected


@pytest.mark.parametrize("search", SEARCHES)
def test_only_allowed_items_are_recommended(fitted: HashGNN, search: Any) -> None:
    allowed = [7000 + item for item in range(3, 100, 7)]
    every = fitted.recommend([USER, OTHER], n=100, search=search)

    found = fitted.recommend([USER, OTHER], n=5, search=search, items=allowed)

    expected = {
        user: [item for item in items if item in allowed][:5]
        for user, items in lists(every).items()
    }
    assert lists(found) == expected
    by_user = {user: np.array(allowed) for user in (USER, OTHER, "üser 0")}
    again = fitted.recommend([USER, OTHER], n=5, search=search, items=by_user)
    pd.testing.assert_frame_equal(again, found)


def test_each_user_has_filters_of_its_own(fitted: HashGNN) -> None:
    every = lists(fitted.recommend([USER, OTHER], n=90))
    best = every[USER][:2]

    never = lists(fitted.recommend([USER, OTHER], n=3, filter_items={USER: best}))
    only = lists(fitted.recommend([USER, OTHER], n=9, items={USER: best, OTHER: every[OTHER][4:6]}))

    assert never == {USER: every[USER][2:5], OTHER: every[OTHER][:3]}
    assert only == {USER: best, OTHER: every[OTHER][4:6]}


def test_both_filters_hold(fitted: HashGNN) -> None:
    first, second, third = lists(fitted.recommend(USER, n=3))[USER]
    found = fitted.recommend(USER, items=[first, second, third], filter_items=[second])
    assert lists(found) == {USER: [first, third]}
    assert len(fitted.recommend(USER, items=[second], filter_items={USER: [second]})) == 0
    assert len(fitted.recommend(USER, items=[])) == 0


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"items": [7001, "nothing"]}, "items: unknown item: 'nothing'; the model knows the 100"),
        ({"filter_items": {USER: ["x"]}}, "filter_items: unknown item: 'x'; the model knows"),
        ({"items": {OTHER: [7001]}}, "items: no list for user 'üser 17'; give each user one, or"),
        ({"items": 0.5}, "items: item 0.5 is float; ids are text, integers or UUIDs"),
    ],
)
def test_unfit_filters(fitted: HashGNN, filters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}") as caught:
        fitted.recommend([USER], **filters)
    assert "\n" not in str(caught.value)


def test_unknown_users_and_items_are_left_out(fitted: HashGNN) -> None:
    found = fitted.recommend(
        ["anna", USER, 4, OTHER], n=3, unknown="skip", filter_items=["nothing"]
    )
    pd.testing.assert_frame_equal(found, fitted.recommend([USER, OTHER], n=3))
    assert len(fitted.recommend(["anna"], unknown="skip")) == 0


def test_unknown_users_get_popular_items(fitted: HashGNN, planted: pd.DataFrame) -> None:
    found = fitted.recommend(["anna", USER, "ben"], n=3, unknown="popular", filter_items=[7005])

    counts = planted.item.value_counts().drop(7005)
    assert found.user.tolist() == ["anna"] * 3 + [USER] * 3 + ["ben"] * 3
    assert found.source.tolist() == ["popular"] * 3 + ["model"] * 3 + ["popular"] * 3
    for user in ("anna", "ben"):
        rows = found[found.user == user]
        assert rows.score.tolist() == counts[:3].tolist()
        assert counts[rows.item].tolist() == rows.score.tolist()
    known = found[found.user == USER].drop(columns="source").reset_index(drop=True)
    expected = fitted.recommend(USER, n=3, filter_items=[7005])
    pd.testing.assert_frame_equal(known, expected)


def test_ids_that_are_no_integers_stay_text_beside_integers() -> None:
    table = pd.DataFrame({"user": np.repeat(range(9), 4), "item": [0, 1, 2, 3, 4, 5] * 6})
    model = HashGNN(8, method="als", epochs=1, validation=0.3).fit(table)
    found = model.recommend([3, "zoe", 77, "007"], n=1, unknown="popular")
    assert found.user.tolist() == [3, "zoe", 77, "007"]


@pytest.mark.parametrize("search", NEIGHBOR_SEARCHES)
def test_similar_items_and_users_are_of_the_same_group(fitted: HashGNN, search: Any) -> None:
    found = fitted.similar_items([7003, 7042], n=6, search=search)
    assert found.columns.tolist() == ["item", "similar", "rank", "score"]
    assert found["rank"].tolist() == [1, 2, 3, 4, 5, 6] * 2
    same = (found.item - 7000) // ITEMS == (found.similar - 7000) // ITEMS
    assert same.mean() > 0.8
    assert (found.item != found.similar).all()

    users = fitted.similar_users("üser 17", n=6, search=search)
    groups = users.similar.str.removeprefix("üser ").astype(int) % 5
    assert (groups == 2).mean() > 0.8
    assert "üser 17" not in set(users.similar)


def test_similarities_are_cosines_or_inner_products_of_codes(fitted: HashGNN) -> None:
    model = fitted.model_
    row = model.item_ids.rows(7003, "item")[0]
    vectors = np.asarray(model.items.vectors, dtype=np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    bits = np.unpackbits(model.items.codes, axis=1, count=12, bitorder="little") * 2 - 1.0
    for search, rows in (("continuous", vectors), ("hamming", bits)):
        found = fitted.similar_items(7003, n=1000, search=search)  # type: ignore[arg-type]
        others = model.item_ids.rows(found.similar, "item")
        assert len(found) == 99
        np.testing.assert_allclose(found.score, (rows @ rows[row])[others], atol=1e-5)


def test_similar_items_take_filters_and_unknown_ids(fitted: HashGNN) -> None:
    every = fitted.similar_items(7003, n=9).similar.tolist()
    found = fitted.similar_items([7003, "x"], n=3, filter_items=every[:2], unknown="skip")
    assert found.similar.tolist() == every[2:5]
    with pytest.raises(InputError, match=r"^unknown item: 'x'"):
        fitted.similar_items([7003, "x"])
    with pytest.raises(InputError, match=r"^unknown: expected one of 'error', 'skip'"):
        fitted.similar_items(7003, unknown="popular")
    with pytest.raises(InputError, match=r"^exclude_known: unknown key"):
        fitted.similar_items(7003, exclude_known=False)
