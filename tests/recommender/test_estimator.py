"""The interface in the manner of scikit-learn."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
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

    with pytest.raises(InputError, match=r"no result folder, train.provenance.json"):
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
        ({"bits": 0}, "bits is 0; give 1 to 1024"),
        ({"validation": 0}, "validation is 0; give a share between 0 and 1"),
        ({"method": "lsh"}, "method 'lsh': expected one of hashgnn, "),
        ({"epoch": 3}, r"parameters.epoch: no such key; known here: .*\bepochs\b"),
        ({"device": "gpu"}, "device gpu: "),
    ],
)
def test_wrong_settings(planted: pd.DataFrame, settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        HashGNN(**settings).fit(planted)  # type: ignore[arg-type]


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
        ("import hashgnn.metrics.evaluate", "torch"),
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
