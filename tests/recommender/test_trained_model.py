"""Recommendations of a trained model: ids, searches, scores and numbers of items."""

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from hashgnn import HashGNN, InputError
from hashgnn.recommender.queries import Query


@pytest.mark.parametrize(
    ("n", "candidates", "sizes"),
    [
        (5, None, (5, 10)),
        (5, 5, (5, 5)),
        (5, 8, (5, 8)),
        (5, 99, (5, 10)),
        (99, None, (10, 10)),
        (99, 10, (10, 10)),
    ],
)
def test_sizes_are_limited_to_the_items(
    n: int, candidates: int | None, sizes: tuple[int, int]
) -> None:
    assert Query(n=n, candidates=candidates).sizes(10) == sizes


def test_more_than_500_items_are_as_many_candidates() -> None:
    assert Query(n=700).sizes(9000) == (700, 700)
    assert Query(n=70).sizes(9000) == (70, 500)


def test_scores_are_inner_products_of_vectors_or_of_codes(fitted: HashGNN) -> None:
    model, user = fitted.model_, "üser 17"
    row = model.user_ids.rows([user], "user")[0]
    bits = [
        np.unpackbits(side.codes, axis=1, count=12, bitorder="little") * 2.0 - 1
        for side in (model.users, model.items)
    ]
    expected = {
        "continuous": model.items.vectors @ model.users.vectors[row],
        "hamming": bits[1] @ bits[0][row],
    }
    for search, scores in expected.items():
        found = fitted.recommend([user], n=100, search=search, exclude_known=False)
        assert len(found) == 100
        rows = model.item_ids.rows(found.item, "item")
        np.testing.assert_allclose(found.score, scores[rows], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("method", "bits"),
    [("pte", 9), ("popularity", 1), ("als", 8), ("puresvd", 8), ("mf", 8), ("als wide", 11)],
)
def test_hamming_scores_count_the_bits_that_codes_have(
    planted: pd.DataFrame, tmp_path: Path, method: str, bits: int
) -> None:
    """Not those that were asked for: PTE's codes have one more, popularity's have one."""
    name, _, wide = method.partition(" ")
    settings = {"epochs": 2} if name in ("pte", "als", "mf") else {}
    model = HashGNN(8, method=name, **settings, **({"dimensions": 11} if wide else {}))
    model.fit(planted).save(tmp_path)

    for own in (model.model_, HashGNN.load(tmp_path).model_):
        found = own.recommend(["üser 3"], n=100, search="hamming", exclude_known=False)
        row = own.user_ids.rows(["üser 3"], "user")[0]
        user, items = (np.where(side.vectors >= 0, 1, -1) for side in (own.users, own.items))
        scores = (items @ user[row])[own.item_ids.rows(found.item, "item")]
        assert own.bits == bits == user.shape[1]
        assert found.score.tolist() == scores.tolist()


def test_fewer_items_than_asked_for(fitted: HashGNN, planted: pd.DataFrame) -> None:
    found = fitted.recommend(["üser 3"], n=1000)

    assert len(found) == 100 - 10
    assert found.item.is_unique


def test_one_error_for_all_unknown_users(fitted: HashGNN) -> None:
    with pytest.raises(InputError) as caught:
        fitted.recommend(["üser 1", "anna", 4, "ben", "carl"])

    assert str(caught.value) == (
        "unknown user: 'anna', '4', 'ben' and 1 more; the model knows the 300 users that it was "
        "trained on, such as 'üser 0'"
    )


@pytest.fixture(scope="module")
def numbered() -> HashGNN:
    """A model whose users are the integers 0 to 59."""
    rng = np.random.default_rng(0)
    items = np.concatenate([rng.choice(40, 12, False) for _ in range(60)])
    return HashGNN(method="als", epochs=1).fit((np.repeat(np.arange(60), 12), items))


@pytest.mark.parametrize("one", ["12", 12, np.int64(12), np.array(12), np.str_("12")])
def test_one_id_is_one_user(numbered: HashGNN, one: Any) -> None:
    assert numbered.recommend(one, n=3).user.tolist() == [12, 12, 12]


@pytest.mark.parametrize(
    "several",
    [
        [12, 7],
        ("12", 7),
        (n for n in (12, 7)),
        np.array([12, 7]),
        pd.Series([12, 7]),
        pd.Index(["12", "7"]),
        pl.Series([12, 7]),
        pa.array(["12", "7"]),
        pa.chunked_array([[12], [7]]),
    ],
)
def test_several_ids_are_several_users(numbered: HashGNN, several: Any) -> None:
    assert numbered.recommend(several, n=2).user.tolist() == [12, 12, 7, 7]


def test_no_ids_are_no_users(numbered: HashGNN) -> None:
    assert numbered.recommend([], n=2).columns.tolist() == ["user", "item", "rank", "score"]
    assert len(numbered.recommend([], n=2)) == 0


@pytest.mark.parametrize(
    ("users", "message"),
    [
        (b"12", "user b'12' is bytes; ids are text, integers or UUIDs"),
        ([b"12"], "user b'12' is bytes; ids are text, integers or UUIDs"),
        (12.0, "user 12.0 is float; ids are text, integers or UUIDs"),
        ([12, None], "user None is NoneType; ids are text, integers or UUIDs"),
        ([True], "user True is bool; ids are text, integers or UUIDs"),
        ([[12]], r"user \[12\] is list; ids are"),
        ({12: 1}, "users are dict; give one id, or a list of ids"),
        (np.array([[12]]), "users are ndarray; give one id, or a list of ids"),
        (pd.DataFrame({"user": [12]}), "users are DataFrame; give one id, or a list of ids"),
        (pl.DataFrame({"user": [12]}), "user shape: .* is Series; ids are"),
        (uuid.UUID(int=12), "unknown user: '00000000-0000-0000-0000-00000000000c'"),
    ],
)
def test_what_is_no_id_is_said(numbered: HashGNN, users: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}") as caught:
        numbered.recommend(users)
    assert "\n" not in str(caught.value)


def test_fewer_candidates_than_items_asked_for(numbered: HashGNN) -> None:
    with pytest.raises(InputError, match=r"^candidates: expected n = 25 or more, got 10$"):
        numbered.recommend([3, 4], n=25, candidates=10)
    assert len(numbered.recommend([3], n=25, candidates=25)) == 25


def test_any_number_asked_for_takes_no_more_room_than_there_are_items(numbered: HashGNN) -> None:
    found = numbered.recommend([3, 4], n=np.int64(10**15), candidates=10**15)

    assert found.user.value_counts().tolist() == [40 - 12] * 2


def test_a_user_to_whom_nothing_is_left_has_no_row() -> None:
    users, items = (
        [0, 0, 0, *(1 + n // 3 for n in range(90))],
        [0, 1, 2, *(n % 2 for n in range(90))],
    )
    model = HashGNN(method="als", epochs=1, validation=0.3).fit((users, items))

    assert set(model.recommend([0, 1]).user) == {1}


def test_asymmetric_search_scores_items_codes_by_the_users_vector(numbered: HashGNN) -> None:
    model = numbered.model_
    found = numbered.recommend([3], n=4, search="asymmetric", exclude_known=False)

    bits = np.unpackbits(model.items.codes, axis=1, count=model.bits, bitorder="little")
    user = model.users.vectors[model.user_ids.rows([3], "user")[0]]
    scores = (2.0 * bits - 1) @ user
    assert found.score.tolist() == pytest.approx(sorted(scores, reverse=True)[:4], rel=1e-5)
    rows = model.item_ids.rows(found["item"].tolist(), "item")
    assert scores[rows].tolist() == pytest.approx(found.score.tolist(), rel=1e-5)


def test_asymmetric_search_needs_a_bit_for_each_dimension(numbered: HashGNN) -> None:
    model = numbered.model_
    narrow = replace(model, users=model.users._replace(vectors=model.users.vectors[:, :-1]))
    with pytest.raises(InputError, match=r"^search 'asymmetric': vectors have .* dimensions and"):
        narrow.recommend([3], search="asymmetric")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"n": 0}, "n: expected 1 or more, got 0"),
        ({"n": "10"}, "n: expected a whole number, got '10'"),
        ({"n": 10.0}, "n: expected a whole number, got 10.0"),
        ({"candidates": 0}, "candidates: expected 1 or more, got 0"),
        ({"candidates": 2.5}, "candidates: expected a whole number or nothing, got 2.5"),
        ({"candidate": 9}, "candidate: unknown key; known keys: .*; did you mean candidates[?]"),
        ({"unknown": "drop"}, "unknown: expected one of 'error', 'skip', 'popular', got 'drop'"),
        (
            {"search": "exact"},
            "search: expected one of 'hierarchical', 'hamming', 'asymmetric', 'continuous'",
        ),
        ({"search": ["hamming"]}, "search: expected one of 'hierarchical', 'hamming'"),
        ({"exclude_known": "no"}, "exclude_known: expected true or false, got 'no'"),
    ],
)
def test_wrong_queries(numbered: HashGNN, query: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        numbered.recommend([3], **query)
