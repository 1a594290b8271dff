"""The forms in which interactions may come."""

import dataclasses
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from hashgnn import InputError
from hashgnn.data.prepare import prepare
from hashgnn.data.split import split
from hashgnn.recommender.adapter import TrainingData, adapt

USERS = [3, 3, 20, 3, 100]
ITEMS = ["b", "a", "b", "b", "ä"]
FRAME = pd.DataFrame({"customer": USERS, "sku": ITEMS, "stars": 5})
COLUMNS = {"sku": ITEMS, "stars": [5] * 5, "customer": USERS}  # users are not the first


class Row(NamedTuple):
    sku: Any
    customer: Any


class OfTheProtocol:
    """A data frame of a library that nobody has heard of."""

    def __dataframe__(self, **options: Any) -> Any:
        return pl.DataFrame(COLUMNS).to_arrow().__dataframe__(**options)


NAMED = {
    "pandas": pd.DataFrame(COLUMNS),
    "polars": pl.DataFrame(COLUMNS),
    "polars categories": pl.DataFrame(COLUMNS).with_columns(pl.col("sku").cast(pl.Categorical)),
    "Arrow table": pa.table(COLUMNS),
    "Arrow batch": pa.RecordBatch.from_pydict(COLUMNS),
    "Arrow chunks": pa.concat_tables([pa.table(COLUMNS)[:2], pa.table(COLUMNS)[2:]]),
    "Arrow structs": pa.table(COLUMNS).to_struct_array().combine_chunks(),
    "dict": COLUMNS,
    "dict of arrays": {name: np.array(values) for name, values in COLUMNS.items()},
    "structured array": np.array(
        list(zip(ITEMS, USERS, strict=True)), dtype=[("sku", "U1"), ("customer", np.int32)]
    ),
    "named tuple": Row(ITEMS, USERS),
    "protocol": OfTheProtocol(),
}


def assert_is_the_frame(data: TrainingData) -> None:
    # As text: '100' < '20' < '3'; the repeat of (3, 'b') counts once.
    assert data.users.text.tolist() == ["100", "20", "3"]
    assert data.interactions.user.tolist() == [0, 1, 2, 2]
    assert data.interactions.item.tolist() == [2, 1, 0, 1]
    assert data.users.at(np.array([2, 0])).tolist() == [3, 100]
    assert data.items.at(np.array([2])).tolist() == ["ä"]
    assert data.users.rows([np.int16(3), "20"], "user").tolist() == [2, 1]


@pytest.mark.parametrize(
    "interactions",
    [
        FRAME,
        FRAME.astype({"sku": "category"}),
        FRAME.astype({"sku": object}),
        (USERS, ITEMS),
        [USERS, ITEMS],
        (np.array(USERS, np.uint8), np.array(ITEMS)),
        (pl.Series(USERS), pa.chunked_array([ITEMS[:1], ITEMS[1:]])),
        (dict(enumerate(USERS)).values(), iter(ITEMS)),
    ],
)
def test_pairs_are_numbered_in_the_order_of_their_ids(interactions: object) -> None:
    assert_is_the_frame(adapt(interactions, user="customer", item="sku"))


@pytest.mark.parametrize("form", NAMED)
def test_named_columns_are_read_by_name(form: str) -> None:
    assert_is_the_frame(adapt(NAMED[form], user="customer", item="sku"))


@given(st.permutations(["customer", "sku", "stars"]))
def test_the_order_of_named_columns_is_nothing(names: list[str]) -> None:
    for made in (pd.DataFrame, pl.DataFrame, pa.table, dict):
        table = made({name: COLUMNS[name] for name in names})
        assert_is_the_frame(adapt(table, user="customer", item="sku"))


def test_a_table_gives_what_the_workflow_makes_of_it_and_its_split(tmp_path: Path) -> None:
    rows = [(user, f"é{item}") for user in range(12) for item in range(user % 5, 15)]
    frame = pd.DataFrame(rows, columns=["user", "item"])
    frame.to_csv(tmp_path / "raw.csv", index=False)
    columns = {"user": "user", "item": "item"}
    settings = {"dataset": "x", "reader": "table", "columns": columns}

    prepared = prepare([tmp_path / "raw.csv"], settings).interactions
    taken = adapt(frame.sample(frac=1, random_state=0)).interactions

    for field in dataclasses.fields(taken):
        np.testing.assert_array_equal(getattr(taken, field.name), getattr(prepared, field.name))
    division = {"by": "random", "test": 0.3, "validation": 0.1, "seed": 0}
    np.testing.assert_array_equal(*(split(one, division).test.indices for one in (taken, prepared)))


def test_what_a_sparse_matrix_stores_twice_is_summed() -> None:
    matrix = sparse.coo_matrix(([1.0, -1.0, 1.0, 1.0], ([0, 0, 1, 2], [0, 0, 1, 1])))
    data = adapt(matrix)
    assert data.users.text.tolist() == ["1", "2"]
    assert data.items.text.tolist() == ["1"]


def test_a_sparse_matrix_has_its_own_row_numbers_as_ids() -> None:
    matrix = sparse.csr_matrix(([1.0, 0.5, 0.0], ([1, 7, 2], [4, 0, 4])), shape=(9, 5))

    data = adapt(matrix)

    assert data.users.at(np.arange(2)).tolist() == [1, 7]  # an explicit 0 is no interaction
    assert data.items.at(np.arange(2)).tolist() == [0, 4]
    assert data.interactions.item.tolist() == [1, 0]


UUIDS = [uuid.UUID(int=2), uuid.UUID(int=1)]


@pytest.mark.parametrize(
    "users", [UUIDS, np.array(UUIDS, object), pd.Series(UUIDS), pa.array(UUIDS)]
)
def test_a_uuid_is_its_text(users: object) -> None:
    data = adapt((users, ["x", "y"]))

    assert data.users.text.tolist() == [str(UUIDS[1]), str(UUIDS[0])]
    assert data.users.rows(UUIDS, "user").tolist() == [1, 0]
    assert data.users.rows(UUIDS[0], "user").tolist() == [1]


@pytest.mark.parametrize("users", [[2**64 - 1, 5], np.array([2**64 - 1, 5], np.uint64)])
def test_integers_of_64_bits_without_a_sign_come_back(users: object) -> None:
    known_ids = adapt((users, ["x", "y"])).users

    assert known_ids.at(np.array([0, 1])).tolist() == [2**64 - 1, 5]  # as text: '1844...' < '5'
    assert known_ids.at(np.array([1])).dtype == np.uint64
    assert known_ids.rows(2**64 - 1, "user").tolist() == [0]


@pytest.mark.parametrize("ids", [[2**63 - 1, -(2**63)], np.array([2**63 - 1, -(2**63)], np.int64)])
def test_integers_of_64_bits_with_a_sign_come_back(ids: object) -> None:
    known_ids = adapt((ids, ["x", "y"])).users

    assert sorted(known_ids.at(np.arange(2)).tolist()) == [-(2**63), 2**63 - 1]
    assert known_ids.at(np.arange(2)).dtype == np.int64


REPEATED = pd.DataFrame([["a", "b", "x"]], columns=["user", "user", "item"])


@pytest.mark.parametrize(
    ("interactions", "message"),
    [
        (pd.DataFrame({"user": [1], "thing": [2]}), "no column 'item'; there are: user, thing"),
        (pl.DataFrame({"user": [1], "thing": [2]}), "no column 'item'; there are: user, thing"),
        ({"anna": ["x"], "ben": ["y"]}, "no column 'user'; there are: anna, ben"),
        ({n: [n] for n in range(99)}, r"no column 'user'; there are: 0, .*, 19, …$"),
        (REPEATED, "2 columns 'user'; there are: user, user, item"),
        (
            pa.Table.from_arrays([pa.array(["a"])] * 3, names=["user", "item", "item"]),
            "2 columns 'item'; there are: user, item, item",
        ),
        (pl.DataFrame({"user": ["a"], "item": ["x"]}).lazy(), "interactions are LazyFrame; give"),
        (pl.Series(["a", "b"]), "cannot read interactions of type Series as a table"),
        (pl.DataFrame({"user": [], "item": []}), "there are no interactions"),
        ((["a", "b"], ["x"]), "2 users, but 1 items"),
        (([], []), "there are no interactions"),
        ("ab", "interactions are str; give a data frame"),
        (17, "interactions are int; give a data frame"),
        ({"ab", "cd"}, "interactions are set; give a data frame"),
        (np.array([["a", "b"], ["x", "y"]]), "interactions are ndarray; give a data frame"),
        ([("a", "x"), ("b", "y"), ("c", "z")], "interactions are list of 3; give a data frame"),
        (("anna", "ben"), "the user ids are str; give a sequence of text"),
        ((3, 4), "the user ids are int; give a sequence"),
        (({"a", "b"}, ["x", "y"]), "the user ids are set; give a sequence"),
        (({"a": 1}, ["x"]), "the user ids are dict; give a sequence"),
        ((FRAME[["customer"]], FRAME[["sku"]]), "the user ids are DataFrame; give a sequence"),
        ((np.array([["a"]]), ["x"]), "the user ids are ndarray; give a sequence"),
        (([1.5], ["x"]), "row 0: the user ids are stored as floating-point numbers"),
        ((["a", None], ["x", "y"]), "interactions, row 1: the user is missing"),
        ((["a", 1], ["x", "y"]), "ids must be all text, all integers or all UUIDs"),
        (([UUIDS[0], 1], ["x", "y"]), "user: ids must be all text, all integers or all UUIDs"),
        (([-1, 2**64 - 1], ["x", "y"]), "user: ids must be all text, all integers"),
        (([2**70], ["x"]), "user: ids must be all text, all integers"),
        (([b"a"], ["x"]), r"interactions, row 0: the user ids are binary; .*decoded"),
        ((["a"], [UUIDS[0].bytes]), r"interactions, row 0: the item ids are binary; .*UUIDs"),
        (([True], ["x"]), "interactions, row 0: the user ids are bool; give a sequence"),
        (([["a"]], ["x"]), "interactions, row 0: the user ids are list"),
        (sparse.csr_matrix((3, 4)), "there are no interactions"),
        (sparse.csr_matrix([[float("nan"), 1.0]]), "interactions hold NaN values"),
    ],
)
def test_what_cannot_be_used_is_said(interactions: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        adapt(interactions)
    assert "\n" not in str(caught.value)


def test_users_and_items_are_not_one_column() -> None:
    with pytest.raises(
        InputError, match="user and item are both the column 'sku'; name two different columns"
    ):
        adapt(FRAME, user="sku", item="sku")


def test_weights_are_a_column_of_their_own() -> None:
    frame = pd.DataFrame({"user": USERS, "item": ITEMS, "plays": [1, 2.5, 3, 4, 5]})
    for table in (frame, pl.DataFrame(frame), dict(frame)):
        data = adapt(table, weight="plays")
        assert data.interactions.weight is not None
        # Of users 100, 20 and 3 as text; 3 has a once, and b twice.
        assert data.interactions.weight.tolist() == [5, 3, 2.5, 5]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2, 0, 1, 1], "interactions, row 2: expected a weight above 0, got '0.0'"),
        ([1, -2, 1, 1, 1], "interactions, row 1: expected a weight above 0, got '-2.0'"),
        ([1, None, 1, 1, 1], "interactions, row 1: expected a number as weight, got nothing"),
        (["1", "2", "x", "1", "1"], "interactions, row 2: expected a number as weight, got 'x'"),
    ],
)
def test_what_is_no_weight(weights: list[Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        adapt({"user": USERS, "item": ITEMS, "plays": weights}, weight="plays")
    assert str(caught.value).startswith(message[: message.index(", got")])


def test_weights_need_a_table() -> None:
    with pytest.raises(InputError, match="weight: names a column, but interactions are tuple"):
        adapt((USERS, ITEMS), weight="plays")
    with pytest.raises(InputError, match=r"no column 'play'; there are: .* did you mean"):
        adapt({"user": USERS, "item": ITEMS, "plays": [1] * 5}, weight="play")
