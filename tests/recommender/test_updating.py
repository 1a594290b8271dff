"""Models that continue their training with new interactions."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hashgnn import HashGNN, InputError
from hashgnn.data.interactions import load_interactions
from hashgnn.files import reserve_folder
from hashgnn.models import als
from hashgnn.models.method import Progress
from hashgnn.recommender.adapter import adapt, feature_table
from hashgnn.recommender.updating import _continue, merge
from tests.helpers import run_hashgnn as run
from tests.recommender.conftest import ITEMS, SMALL, own_group

NEW = pd.DataFrame(
    [(f"zoe {n}", 7000 + ITEMS + item) for n in range(3) for item in (0, 2, 5, 9, 11)]
    + [("üser 1", 9001), ("üser 6", 9001), ("zoe 0", 9001), ("üser 0", 7000 + ITEMS)],
    columns=["user", "item"],
)


def test_known_ids_keep_their_rows(fitted: HashGNN) -> None:
    model = fitted.model_
    data = merge(model, adapt(NEW))

    assert data.users.text[:300].equals(model.user_ids.text)
    assert data.users.text[300:].tolist() == ["zoe 0", "zoe 1", "zoe 2"]
    assert data.items.text[:100].equals(model.item_ids.text)
    assert data.items.text[100:].tolist() == ["9001"]
    pairs = list(zip(data.interactions.user, data.interactions.item, strict=True))
    assert pairs == sorted(set(pairs))
    assert len(pairs) == len(model.interactions.user) + len(NEW)
    assert (300, 100) in pairs
    np.testing.assert_array_equal(data.interactions.user_key[:300], model.interactions.user_key)


def test_what_is_known_already_adds_nothing(fitted: HashGNN, planted: pd.DataFrame) -> None:
    data = merge(fitted.model_, adapt(planted[:40]))
    np.testing.assert_array_equal(data.interactions.item, fitted.model_.interactions.item)
    assert len(data.users) == 300


def test_weights_of_known_interactions_are_added(planted: pd.DataFrame) -> None:
    rows = planted[:60].assign(n=np.arange(1.0, 61))
    model = HashGNN(8, method="als", epochs=2).fit(rows, weight="n").model_
    data = merge(model, adapt(rows[:2], weight="n"))

    first = [(str(user), str(item)) for user, item in rows[["user", "item"]].to_numpy()[:2]]
    found = {
        (data.users.text[user], data.items.text[item]): weight
        for user, item, weight in zip(
            data.interactions.user, data.interactions.item, data.interactions.weight, strict=True
        )
    }
    assert [found.pop(pair) for pair in first] == [2, 4]
    assert sorted(found.values()) == list(range(3, 61))
    with pytest.raises(InputError, match="weight: the model was trained with weights"):
        merge(model, adapt(rows))


def test_a_model_without_weights_takes_none(fitted: HashGNN, planted: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="weight: the model was trained without weights"):
        merge(fitted.model_, adapt(planted.assign(n=1), weight="n"))


def test_ids_of_another_kind(fitted: HashGNN) -> None:
    with pytest.raises(InputError, match=r"item 'sku': expected an integer, as all items of the"):
        merge(fitted.model_, adapt((["zoe"], ["sku"])))


def test_progress_goes_on_once() -> None:
    later = _continue(Progress(7, 10), epochs=3)
    assert later == (37, 10)
    assert _continue(later, epochs=3) is later
    assert _continue("else", epochs=3) == "else"


@pytest.mark.parametrize(
    ("method", "settings"),
    [("hashgnn", SMALL), ("hashgnn_plus", SMALL), ("als", {"epochs": 15}), ("puresvd", {})],
)
def test_an_update_knows_new_users_and_forgets_nobody(
    planted: pd.DataFrame, method: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    model = HashGNN(12, method=method, **settings).fit(planted)
    before = model.model_
    model.update(NEW)
    model.save(tmp_path)
    loaded = HashGNN.load(tmp_path)

    record = loaded.model_.record
    assert record["updates"] == 1
    assert record["settings"] == before.record["settings"]
    assert loaded.get_params() == HashGNN(12, method=method, **settings).get_params() | {
        name: value for name, value in loaded.get_params().items() if name not in settings
    }
    everybody = loaded.recommend([f"üser {n}" for n in range(300)], n=5)
    assert own_group(everybody[everybody.item < 7100]) > 0.85
    zoe = loaded.recommend(["zoe 1", "zoe 2"], n=5)
    groups = (zoe.item - 7000) // ITEMS
    assert (groups == 1).mean() > 0.5  # 0.2 by chance
    again = loaded.update(NEW).model_.record
    assert again["updates"] == 2


def test_an_update_starts_from_the_weights(planted: pd.DataFrame) -> None:
    """At a learning rate of 0, all stays but what reads new interactions."""
    model = HashGNN(12, **{**SMALL, "learning_rate": 0.0, "epochs": 2}).fit(planted)
    before = model.model_
    assert before.weights is not None
    weights = {name: np.array(array) for name, array in before.weights.items()}
    model.update(NEW)
    assert model.model_.weights is not None
    for name, array in model.model_.weights.items():
        if name == "embedding":
            array = np.concatenate([array[:300], array[303:403]])
        np.testing.assert_array_equal(array, weights[name])
    assert model.model_.users.vectors.shape == (303, 12)


def test_an_update_of_als_goes_on_from_its_vectors(planted: pd.DataFrame) -> None:
    model = HashGNN(8, method="als", epochs=2, regularization=1.0).fit(planted)

    solved = model.update(NEW, epochs=200).model_
    rows = solved.interactions.csr(np.ones(len(solved.interactions.user), dtype=bool))
    items = np.array(solved.items.vectors)
    expected = als.new_users(rows, items, als.Parameters(alpha=5.0, regularization=1.0))
    assert solved.record["settings"]["parameters"]["alpha"] == 5.0
    np.testing.assert_allclose(solved.users.vectors, expected, atol=1e-3)

    # At the least loss an epoch moves nothing; from random vectors it would not arrive there.
    again = model.update(NEW, epochs=1).model_
    np.testing.assert_allclose(again.users.vectors, solved.users.vectors, atol=1e-3)
    np.testing.assert_allclose(again.items.vectors, items, atol=1e-3)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("update")
    users, items = [f"u{n % 30}" for n in range(240)], [f"i{(n * 7) % 41}" for n in range(240)]
    pd.DataFrame({"user": users, "item": items}).to_csv(folder / "old.csv", index=False)
    ran = run("train", folder / "old.csv", "--output", folder / "model", "--method", "mf",
              "--set", "epochs=2", "--bits", "8")  # fmt: skip
    assert ran.exit_code == 0, ran.output
    return folder


def test_the_command_replaces_the_model(saved: Path, tmp_path: Path) -> None:
    model = shutil.copytree(saved / "model", tmp_path / "model")
    (tmp_path / "today.csv").write_text("user,item\nzoe,i3\nzoe,new\nu1,i3\nu1,i3\n")
    in_use = HashGNN.load(model)
    expected = in_use.recommend()

    ran = run("update", model, tmp_path / "today.csv", "--epochs", "1")

    assert (ran.exit_code, ran.stdout.splitlines()[-1].split(", ")[1:]) == (
        0,
        ["1 new users", "1 new items"],
    )
    pd.testing.assert_frame_equal(in_use.recommend(), expected)
    assert len(HashGNN.load(model).recommend("zoe", n=5)) == 5
    assert load_interactions(model / "interactions.npz").n_users == 31
    assert not list(model.glob(".*"))


def test_a_second_update_at_once_is_refused(saved: Path) -> None:
    with reserve_folder(saved / "model"):
        ran = run("update", saved / "model", saved / "old.csv")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"error: {saved}/model: another process is training a model into")
    assert ran.stderr.count("\n") == 1


def test_a_failed_update_leaves_the_model(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "today.csv").write_text("user,item\nzoe\n")
    before = {path.name: path.read_bytes() for path in (saved / "model").glob("*.*")}
    ran = run("update", saved / "model", tmp_path / "today.csv")
    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)
    assert {path.name: path.read_bytes() for path in (saved / "model").glob("*.*")} == before


def test_what_is_no_model(tmp_path: Path, saved: Path) -> None:
    ran = run("update", tmp_path, saved / "old.csv")
    said = f"error: {tmp_path}: no model of hashgnn train or HashGNN.save; train one first\n"
    assert (ran.exit_code, ran.stderr) == (2, said)


def test_an_update_takes_features_of_new_items(planted: pd.DataFrame) -> None:
    items = pd.DataFrame({"item": range(7000, 7000 + 5 * ITEMS)})
    items["group"] = [f"g{(item - 7000) // ITEMS}" for item in items.item]
    model = HashGNN(12, refit=False, **SMALL).fit(planted, item_features=items)
    new = pd.DataFrame({"item": [9001, 9002, 7000], "group": ["g1", "g3", "g4"]})

    with pytest.raises(InputError, match="item_features: new item '9001'; the model was trained"):
        merge(model.model_, adapt(NEW))
    old = model.model_.features
    assert old is not None
    model.update(NEW, item_features=new, epochs=1)

    made = model.model_.features
    assert made is not None
    assert len(made.item.indptr) == 103  # 9002 has no interactions
    row = {str(name): place for place, name in enumerate(model.model_.item_ids.text)}

    def hashes(features: Any, item: int) -> int:
        place = row[str(item)]
        start, end = features.item.indptr[place : place + 2]
        assert end - start == 1
        return int(features.item.indices[start])

    assert hashes(made, 9001) == hashes(old, 7000 + ITEMS)
    assert hashes(made, 7000) == hashes(old, 7000 + 4 * ITEMS)  # a known item has changed
    assert hashes(made, 7001) == hashes(old, 7001)
    found = model.recommend(["üser 3"], n=1, items=[9001, 9002])
    assert found.item.tolist() == [9002]


def test_a_model_without_features_takes_none(fitted: HashGNN) -> None:
    table = feature_table({"item": [9001], "group": ["g"]}, "item", "item")
    with pytest.raises(InputError, match="the model was trained without features of items; train"):
        merge(fitted.model_, adapt(NEW), [table])
