"""The interface in the manner of scikit-learn."""

import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from hashgnn import HashGNN, InputError
from tests.recommender.conftest import SMALL, own_group


@pytest.mark.parametrize("search", ["hierarchical", "hamming", "continuous"])
def test_users_get_the_items_of_their_group_that_they_lack(
    fitted: HashGNN, planted: pd.DataFrame, search: str
) -> None:
    found = fitted.recommend(n=5, search=search)

    assert own_group(found) > 0.9
    assert len(found.merge(planted)) == 0
    assert found.groupby("user")["rank"].apply(list).tolist() == [[1, 2, 3, 4, 5]] * 300
    assert (found.groupby("user").score.diff().dropna() <= 0).all()


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


def test_a_saved_model_answers_alike_from_mapped_memory(fitted: HashGNN, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    loaded = HashGNN.load(tmp_path / "model")

    pd.testing.assert_frame_equal(loaded.recommend(n=7), fitted.recommend(n=7))
    assert isinstance(loaded.model_.index.planes, np.memmap)
    assert isinstance(loaded.model_.users.vectors, np.memmap)
    assert loaded.bits == 12


def test_half_a_saved_model_is_none(fitted: HashGNN, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    (tmp_path / "train.provenance.json").unlink()

    with pytest.raises(InputError, match=r"not a result folder, as train.provenance.json"):
        HashGNN.load(tmp_path)


def test_the_same_seed_trains_the_same_model_whatever_the_order_of_the_rows(
    planted: pd.DataFrame, fitted: HashGNN
) -> None:
    again = HashGNN(bits=12, **SMALL).fit(planted.sample(frac=1))

    assert again.model_.users.vectors.tobytes() == fitted.model_.users.vectors.tobytes()


def test_another_method(planted: pd.DataFrame) -> None:
    found = HashGNN(12, method="hashnet", **SMALL).fit(planted).recommend(n=5)

    assert own_group(found) > 0.6  # 0.2 by chance


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bits": 0}, "bits: expected 1 or more, got 0"),
        ({"bits": 1025}, "bits: expected 1 to 1,024, got 1,025"),
        ({"bits": "32"}, "bits: expected a whole number, got '32', which is a text: write 32 "),
        ({"bits": 32.0}, "bits: expected a whole number, got 32.0"),
        ({"bits": True}, "bits: expected a whole number, got True"),
        ({"bits": None}, "bits: expected a whole number, got None"),
        ({"validation": 0}, "validation: expected a share above 0 and below 1, got 0"),
        ({"validation": 1}, "validation: expected a share above 0 and below 1, got 1"),
        ({"validation": -0.1}, "validation: expected a share above 0 and below 1, got -0.1"),
        ({"validation": float("nan")}, "validation: expected a finite number, got nan"),
        ({"validation": "0.1"}, "validation: expected a number, got '0.1', which is a text: write"),
        ({"seed": None}, "seed: expected a whole number, got None"),
        ({"seed": -1}, "seed: expected 0 or more, got -1"),
        ({"seed": "7"}, "seed: expected a whole number, got '7', which is a text: write 7 "),
        ({"seed": 2**32}, "seed: expected 0 to 4,294,967,295, got 4,294,967,296"),
        ({"seed": 2**70}, "seed: expected a number of at most 64 bits, got 1180591620717411303424"),
        ({"method": "lsh"}, "method 'lsh': expected one of hashgnn, "),
        ({"method": "HashGNN"}, "method 'HashGNN': expected one of hashgnn, "),
        ({"method": 3}, "method: expected a text, got 3"),
        ({"epoch": 3}, r"parameters.epoch: no such key; known here: .*\bepochs\b"),
        ({"epochs": "3"}, "parameters.epochs: expected a whole number, got '3', which is a text"),
        ({"learning_rate": "1e-3"}, "parameters.learning_rate: .* write 1.0e-3 without quotes"),
        ({"guidance": {"flor": 1}}, "parameters.guidance.flor: no such key; known here: .*floor"),
        ({"guidance.flor": 1}, "parameters.guidance.flor: no such key; known here: .*floor"),
        ({"convolution_arguments": {"f": print}}, "parameters.convolution_arguments.f: expected n"),
        ({"device": "gpu"}, "device gpu: "),
        ({"device": "meta"}, "device meta: .*use auto, cpu, cuda or cuda:N"),
        ({"device": 0}, "device: expected a text, got 0"),
    ],
)
def test_wrong_settings(planted: pd.DataFrame, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}") as caught:
        HashGNN(**settings).fit(planted)
    assert "\n" not in str(caught.value)


def test_numpy_numbers_are_the_numbers_they_are(planted: pd.DataFrame, tmp_path: Path) -> None:
    few = {**SMALL, "epochs": 1, "fanouts": (4, 3), "guidance": {"floor": 0.25}}
    numpy = {**few, "epochs": np.int64(1), "fanouts": np.array([4, 3])}
    numpy["guidance"] = {"floor": np.float32(0.25)}
    plain = HashGNN(16, seed=1, validation=0.25, **few).fit(planted)

    made = HashGNN(np.int64(16), seed=np.uint8(1), validation=np.float32(0.25), **numpy)
    made.fit(planted).save(tmp_path)

    assert HashGNN.load(tmp_path).model_.record["settings"] == plain.model_.record["settings"]
    assert made.model_.users.codes.tobytes() == plain.model_.users.codes.tobytes()


ARGUMENTS = ("bits", "method", "seed", "validation", "device")


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("hashgnn_nr", {**SMALL, "epochs": 2, "negatives": 3, "guidance.floor": 0.25}),
        ("mf", {"epochs": 2}),
        ("als", {"epochs": 2}),
        ("pte", {"epochs": 1, "negatives": 3}),
    ],
)
def test_a_loaded_model_trains_as_it_was_trained(
    planted: pd.DataFrame, tmp_path: Path, method: str, parameters: dict[str, Any]
) -> None:
    options: dict[str, Any] = {"method": method, "seed": 3, "validation": 0.2, "device": "cpu"}
    model = HashGNN(12, **options, **parameters).fit(planted)
    model.save(tmp_path)

    loaded = HashGNN.load(tmp_path)
    again = HashGNN.load(tmp_path).fit(planted)

    for name in ARGUMENTS:
        assert getattr(loaded, name) == getattr(model, name)
    assert again.model_.record["settings"] == model.model_.record["settings"]
    assert again.model_.users.vectors.tobytes() == model.model_.users.vectors.tobytes()


def test_a_model_of_another_config_is_loaded_but_not_trained(
    planted: pd.DataFrame, tmp_path: Path
) -> None:
    model = HashGNN(12, method="als", epochs=1).fit(planted)
    model.model_.record["settings"]["method"] = "plugins.als"  # type: ignore[index]
    model.save(tmp_path)

    loaded = HashGNN.load(tmp_path)

    assert len(loaded.recommend("üser 1", n=3)) == 3
    with pytest.raises(InputError, match=r"method 'plugins.als': expected one of hashgnn, "):
        loaded.fit(planted)


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


@pytest.mark.parametrize("search", ["hierarchical", "continuous"])
def test_there_are_never_fewer_items_than_asked_for(numbered: HashGNN, search: Any) -> None:
    found = numbered.recommend([3, 4], n=25, search=search, candidates=10)

    assert found.user.value_counts().tolist() == [25, 25]
    assert found.equals(numbered.recommend([3, 4], n=25, search=search, candidates=25))


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


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"n": 0}, "n: expected 1 or more, got 0"),
        ({"n": "10"}, "n: expected a whole number, got '10'"),
        ({"n": 10.0}, "n: expected a whole number, got 10.0"),
        ({"candidates": 0}, "candidates: expected 1 or more, got 0"),
        ({"candidates": None}, "candidates: expected a whole number, got None"),
        ({"search": "exact"}, "search: expected one of 'hierarchical', 'hamming', 'continuous'"),
        ({"search": ["hamming"]}, "search: expected one of 'hierarchical', 'hamming'"),
        ({"exclude_known": "no"}, "exclude_known: expected true or false, got 'no'"),
    ],
)
def test_wrong_queries(numbered: HashGNN, query: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        numbered.recommend([3], **query)


def test_too_little_to_hold_anything_out() -> None:
    with pytest.raises(InputError, match="no user has enough interactions to hold out 10%"):
        HashGNN().fit((["a", "b"], ["x", "y"]))


def test_a_model_that_is_not_fitted() -> None:
    with pytest.raises(InputError, match="not fitted; call fit first"):
        HashGNN().recommend()


@pytest.mark.parametrize(
    ("statement", "loads"),
    [
        ("import hashgnn", "numpy"),
        ("import hashgnn.evaluation.evaluate", "torch"),
        ("from hashgnn import HashGNN; HashGNN.load({folder!r}).recommend()", "torch"),
    ],
)
def test_nothing_is_imported_that_is_not_needed(
    fitted: HashGNN, tmp_path: Path, statement: str, loads: str
) -> None:
    fitted.save(tmp_path)
    code = f"{statement.format(folder=str(tmp_path))}\nimport sys; print({loads!r} in sys.modules)"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "False"
