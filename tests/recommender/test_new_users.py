"""Users who were not in the training, represented by their items."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from hashgnn import HashGNN, InputError
from hashgnn.graph import bipartite_graph
from hashgnn.recommender.folder import RECORD
from hashgnn.recommender.new_users import represent, with_users
from hashgnn.stage.record import read_record, write_record
from tests.helpers import csr_of
from tests.recommender.conftest import ITEMS, SMALL, own_group

WITHOUT_IDS = {**SMALL, "user_embeddings": False, "epochs": 3}


def items_of(planted: pd.DataFrame, *users: str) -> dict[str, list[int]]:
    return {user: planted.item[planted.user == user].tolist() for user in users}


@pytest.fixture(scope="module")
def inductive(planted: pd.DataFrame) -> HashGNN:
    return HashGNN(12, method="hashgnn_plus", **WITHOUT_IDS).fit(planted)


def test_new_users_read_their_items_and_nobody_reads_them() -> None:
    graph = bipartite_graph(csr_of([0, 2], []), n_items=4)
    extended = with_users(graph, csr_of([1, 3], [0]))
    neighbors = [
        extended.indices[start:end].tolist()
        for start, end in zip(extended.indptr[:-1], extended.indptr[1:], strict=True)
    ]
    # Users 0 and 1, new users 2 and 3, then items 4 to 7; isolated nodes are their own neighbors.
    assert neighbors == [[4, 6], [1], [5, 7], [4], [0], [5], [0], [7]]
    assert extended.n_users == 4


@pytest.mark.parametrize("encoder", ["mean", "convolution"])
def test_without_user_embeddings_a_history_is_the_trained_user(
    planted: pd.DataFrame, encoder: str
) -> None:
    """The encoder computes the same for a copy of a user."""
    settings = {**WITHOUT_IDS, "encoder": f"hashgnn.models.encoders.{encoder}"}
    model = HashGNN(12, method="hashgnn_plus", **settings).fit(planted).model_
    rows = [np.sort(model.interactions.item[model.interactions.user == u]) for u in range(9)]
    made = represent(model, csr_of(*[row.tolist() for row in rows]))
    np.testing.assert_array_equal(made.codes, model.users.codes[:9])
    np.testing.assert_allclose(made.vectors, model.users.vectors[:9], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("hashgnn", SMALL),
        ("lightgcn", {"epochs": 5}),
        ("mf", {"epochs": 10}),
        ("als", {"epochs": 3}),
        ("puresvd", {}),
    ],
)
def test_new_users_get_the_items_of_their_group(
    planted: pd.DataFrame, method: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    held = [f"üser {n}" for n in range(20)]
    rest = planted[~planted.user.isin(held)]
    HashGNN(12, method=method, **settings).fit(rest).save(tmp_path)
    histories = items_of(planted, *held)

    found = HashGNN.load(tmp_path).recommend(histories=histories, n=5)

    assert found.user.unique().tolist() == held
    assert own_group(found) > 0.7  # 0.2 by chance
    assert len(found.merge(planted)) == 0


def test_als_solves_the_normal_equations(planted: pd.DataFrame) -> None:
    model = HashGNN(6, method="als", epochs=2).fit(planted).model_
    items = np.asarray(model.items.vectors, dtype=np.float64)
    # alpha 10 and lambda 0.1 are the defaults: (V'V + (alpha - 1) V_h'V_h + lambda) u = alpha V_h'1
    alpha, penalty = (
        model.record["settings"]["parameters"].get(k, v)
        for k, v in (("alpha", 10.0), ("regularization", 0.1))
    )
    own = items[[3, 5, 8]]
    left = items.T @ items + (alpha - 1) * own.T @ own + penalty * np.eye(6)
    expected = np.linalg.solve(left, alpha * own.sum(axis=0))
    made = represent(model, csr_of([3, 5, 8], [1]))
    np.testing.assert_allclose(made.vectors[0], expected, rtol=1e-3, atol=1e-4)


def test_forms_of_histories(inductive: HashGNN, planted: pd.DataFrame) -> None:
    histories = {"zoe": [7003, 7004], 12: [7042]}
    expected = inductive.recommend(histories=histories, n=4)
    table = {"user": ["zoe", "zoe", "12"], "item": [7003, 7004, 7042]}
    assert expected.user.tolist() == ["zoe"] * 4 + ["12"] * 4
    for frame in (pd.DataFrame(table), pl.DataFrame(table)):
        pd.testing.assert_frame_equal(inductive.recommend(histories=frame, n=4), expected)
    repeated = inductive.recommend(histories={"zoe": [7004, "7003", 7004], "12": 7042}, n=4)
    pd.testing.assert_frame_equal(repeated, expected)
    known = inductive.recommend(histories={"zoe": [7003, 7004]}, n=100, exclude_known=False)
    assert {7003, 7004} < set(known.item)


def test_histories_take_filters(inductive: HashGNN) -> None:
    best = inductive.recommend(histories={"zoe": [7003]}, n=3).item.tolist()
    never = inductive.recommend(histories={"zoe": [7003]}, n=2, filter_items={"zoe": best[:1]})
    assert never.item.tolist() == best[1:]


@pytest.mark.parametrize(
    ("histories", "message"),
    [
        ({"zoe": []}, "histories: empty for user 'zoe'; give each user an item or more"),
        ({"zoe": [7001, "x"]}, "histories: unknown item: 'x'; the model knows the 100 items"),
        ({"zoe": 0.5}, "histories: item 0.5 is float; ids are text, integers or UUIDs"),
        ([("zoe", 7001)], "histories: found list, expected a mapping from users to lists"),
        (pd.DataFrame({"user": ["a"], "sku": [1]}), "histories: no column 'item'; there are: user"),
        (pd.DataFrame({"user": ["a"], "item": [None]}), "histories: row 0: the item is missing"),
    ],
)
def test_unfit_histories(inductive: HashGNN, histories: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}") as caught:
        inductive.recommend(histories=histories)
    assert "\n" not in str(caught.value)


def test_histories_of_unknown_items_do_not_stop_a_batch(inductive: HashGNN) -> None:
    histories = {"zoe": ["x", 7003], "ben": ["y"], "carl": []}
    expected = inductive.recommend(histories={"zoe": [7003]}, n=3)
    skipped = inductive.recommend(histories=histories, n=3, unknown="skip")
    popular = inductive.recommend(histories=histories, n=3, unknown="popular")
    pd.testing.assert_frame_equal(skipped, expected)
    assert popular.user.tolist() == ["zoe"] * 3 + ["ben"] * 3 + ["carl"] * 3
    assert popular.source.tolist() == ["model"] * 3 + ["popular"] * 6
    assert len(inductive.recommend(histories={"carl": []}, unknown="skip")) == 0


def test_users_or_histories_but_not_both(inductive: HashGNN) -> None:
    with pytest.raises(InputError, match=r"^users and histories: give one of them$"):
        inductive.recommend("üser 1", histories={"zoe": [7003]})


def test_an_older_folder_says_that_it_has_no_weights(inductive: HashGNN, tmp_path: Path) -> None:
    inductive.save(tmp_path)
    record = read_record(tmp_path / RECORD)
    del record["weights"], record["outputs"]["weights.npy"]
    (tmp_path / "weights.npy").unlink()
    write_record(tmp_path / RECORD, record)
    older = HashGNN.load(tmp_path)
    assert len(older.recommend("üser 1", n=3)) == 3
    with pytest.raises(InputError, match=r"^histories: this model was saved without the weights"):
        older.recommend(histories={"zoe": [7003]})


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"embedding": [3]}, "not the weights of train.provenance.json .found float32"),
        ({"embedding": [10**9, 10]}, "not the weights of train.provenance.json"),
        ([3], "not the weights of train.provenance.json"),
    ],
)
def test_weights_of_another_model(
    inductive: HashGNN, tmp_path: Path, shapes: Any, message: str
) -> None:
    inductive.save(tmp_path)
    record = {**read_record(tmp_path / RECORD), "weights": shapes}
    write_record(tmp_path / RECORD, record)
    with pytest.raises(InputError, match=f"weights.npy: {message}") as caught:
        HashGNN.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_method_that_cannot(planted: pd.DataFrame) -> None:
    model = HashGNN(8, method="pte", epochs=1, negatives=2).fit(planted)
    with pytest.raises(InputError, match=r"^histories: hashgnn.models.pte cannot represent new"):
        model.recommend(histories={"zoe": [7000 + ITEMS]})
