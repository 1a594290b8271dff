"""The forms in which interactions may come."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from hashgnn import InputError
from hashgnn.data.prepare import prepare
from hashgnn.data.split import split
from hashgnn.recommender.given import take

USERS = [3, 3, 20, 3, 100]
ITEMS = ["b", "a", "b", "b", "ä"]
FRAME = pd.DataFrame({"customer": USERS, "sku": ITEMS, "stars": 5})


@pytest.mark.parametrize(
    "interactions",
    [
        FRAME,
        FRAME.astype({"sku": "category"}),
        FRAME.astype({"sku": object}),
        (USERS, ITEMS),
        (np.array(USERS, np.uint8), np.array(ITEMS)),
    ],
)
def test_pairs_are_numbered_in_the_order_of_their_ids(interactions: object) -> None:
    given = take(interactions, user="customer", item="sku")

    # As text: '100' < '20' < '3'; the repeat of (3, 'b') counts once.
    assert given.users.text.tolist() == ["100", "20", "3"]
    assert given.interactions.user.tolist() == [0, 1, 2, 2]
    assert given.interactions.item.tolist() == [2, 1, 0, 1]
    assert given.users.at(np.array([2, 0])).tolist() == [3, 100]
    assert given.items.at(np.array([2])).tolist() == ["ä"]
    assert given.users.rows([np.int16(3), "20"], "user").tolist() == [2, 1]


def test_a_table_gives_what_the_workflow_makes_of_it_and_its_split(tmp_path: Path) -> None:
    rows = [(user, f"é{item}") for user in range(12) for item in range(user % 5, 15)]
    frame = pd.DataFrame(rows, columns=["user", "item"])
    frame.to_csv(tmp_path / "raw.csv", index=False)
    columns = {"user": "user", "item": "item"}
    settings = {"dataset": "x", "reader": "table", "columns": columns}

    prepared = prepare([tmp_path / "raw.csv"], settings).interactions
    taken = take(frame.sample(frac=1, random_state=0)).interactions

    for field in dataclasses.fields(taken):
        np.testing.assert_array_equal(getattr(taken, field.name), getattr(prepared, field.name))
    division = {"by": "random", "test": 0.3, "validation": 0.1, "seed": 0}
    np.testing.assert_array_equal(*(split(one, division).test.indices for one in (taken, prepared)))


def test_a_sparse_matrix_has_its_own_row_numbers_as_ids() -> None:
    matrix = sparse.csr_matrix(([1.0, 0.5, 0.0], ([1, 7, 2], [4, 0, 4])), shape=(9, 5))

    given = take(matrix)

    assert given.users.at(np.arange(2)).tolist() == [1, 7]  # an explicit 0 is no interaction
    assert given.items.at(np.arange(2)).tolist() == [0, 4]
    assert given.interactions.item.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("interactions", "message"),
    [
        (pd.DataFrame({"user": [1], "thing": [2]}), "no column 'item'; there are: user, thing"),
        ((["a", "b"], ["x"]), "2 users, but 1 items"),
        (([], []), "there are no interactions"),
        (17, "interactions are int; give a data frame"),
        (([1.5], ["x"]), "row 0: the user ids are stored as floating-point numbers"),
        ((["a", None], ["x", "y"]), "interactions, row 1: the user is missing"),
        ((["a", 1], ["x", "y"]), "ids must be all text or all integers"),
        (sparse.csr_matrix((3, 4)), "there are no interactions"),
    ],
)
def test_what_cannot_be_used_is_said(interactions: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        take(interactions)
