"""The interface in the manner of scikit-learn."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from hashgnn import HashGNN, InputError
from tests.recommender.conftest import GROUPS, ITEMS, SMALL, own_group

_CONFIG = Path(__file__).parents[2] / "config/config.yaml"
BUNDLED = yaml.safe_load(_CONFIG.read_text(encoding="utf-8"))["models"].keys()


@pytest.mark.parametrize("search", ["hierarchical", "hamming", "asymmetric", "continuous"])
def test_users_get_the_items_of_their_group_that_they_lack(
    fitted: HashGNN, planted: pd.DataFrame, search: str
) -> None:
    found = fitted.recommend(n=5, search=search)

    assert own_group(found) > 0.9
    assert len(found.merge(planted)) == 0
    assert found.groupby("user")["rank"].apply(list).tolist() == [[1, 2, 3, 4, 5]] * 300
    assert (found.groupby("user").score.diff().dropna() <= 0).all()


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
        ({"bits": 1025}, "bits: expected 1,024 or less, got 1025"),
        ({"bits": "32"}, "bits: expected a whole number, got '32', which is text: write 32 "),
        ({"bits": 32.0}, "bits: expected a whole number, got 32.0"),
        ({"bits": True}, "bits: expected a whole number, got True"),
        ({"bits": None}, "bits: expected a whole number, got None"),
        ({"validation": 0}, "validation: expected a share above 0 and below 1, got 0"),
        ({"validation": 1}, "validation: expected a share above 0 and below 1, got 1"),
        ({"validation": -0.1}, "validation: expected a share above 0 and below 1, got -0.1"),
        ({"validation": float("nan")}, "validation: expected a finite number, got nan"),
        ({"validation": "0.1"}, "validation: expected a number, got '0.1', which is text: write"),
        ({"seed": None}, "seed: expected a whole number, got None"),
        ({"seed": -1}, "seed: expected 0 or more, got -1"),
        ({"seed": "7"}, "seed: expected a whole number, got '7', which is text: write 7 "),
        ({"seed": 2**32}, "seed: expected 4,294,967,295 or less, got 4294967296"),
        ({"seed": 2**70}, "seed: expected a number of at most 64 bits, got 1180591620717411303424"),
        ({"method": "lsh"}, "method 'lsh': expected one of hashgnn, "),
        ({"method": "HashGNN"}, "method 'HashGNN': expected one of hashgnn, "),
        ({"method": 3}, "method: expected text, got 3"),
        ({"epoch": 3}, r"epoch: unknown parameter of .*\bepochs\b.*; did you mean epochs[?]"),
        ({"bit": 64}, "bit: unknown parameter of method hashgnn; .*; did you mean bits[?]"),
        ({"epochs": "3"}, "parameters.epochs: expected a whole number, got '3', which is text"),
        ({"learning_rate": "1e-3"}, "parameters.learning_rate: .* write 1.0e-3 without quotes"),
        ({"guidance": {"flor": 1}}, "parameters.guidance.flor: unknown key; known keys: .*floor"),
        ({"guidance.flor": 1}, "parameters.guidance.flor: unknown key; known keys: .*floor"),
        ({"convolution_arguments": {"f": print}}, "parameters.convolution_arguments.f: expected n"),
        ({"device": "gpu"}, "device: expected auto, cpu, cuda or cuda:N, got 'gpu'"),
        ({"device": "cuda:x"}, "device: expected auto, cpu, cuda or cuda:N, got 'cuda:x'"),
        ({"device": 0}, "device: expected text, got 0"),
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
    ],
)
def test_nothing_is_imported_that_is_not_needed(
    fitted: HashGNN, tmp_path: Path, statement: str, loads: str
) -> None:
    fitted.save(tmp_path)
    code = f"{statement.format(folder=str(tmp_path))}\nimport sys; print({loads!r} in sys.modules)"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "False"


# The modules of the packages that `pip install hashgnn` brings, without any extra.
BROUGHT = {"hashgnn", "click", "llvmlite", "numba", "numpy", "pandas", "psutil", "pyarrow"}
BROUGHT |= {"pydantic", "pydantic_core", "annotated_types", "dateutil", "six", "typing_extensions"}
BROUGHT |= {"typing_inspection", "tzdata"}
ALONE = f"""
import importlib.metadata, sys

class Installed:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {BROUGHT!r} and top in others:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

others = set(importlib.metadata.packages_distributions()) - {BROUGHT!r}
assert {{"torch", "scipy", "yaml", "snakemake", "tqdm"}} <= others
sys.meta_path.insert(0, Installed())
"""


def alone(code: str) -> str:
    """The output of ``code`` where only the package and what it needs can be imported."""
    given = [sys.executable, "-c", ALONE + code]
    return subprocess.run(given, capture_output=True, text=True, check=True).stdout.strip()


def test_what_is_installed_without_extras_recommends(fitted: HashGNN, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    fitted.recommend("üser 7", n=5, filter_items=[7001]).to_csv(tmp_path / "expected.csv")
    code = f"""
from hashgnn import HashGNN
model = HashGNN.load({str(tmp_path / "model")!r})
model.recommend("üser 7", n=5, filter_items=[7001]).to_csv({str(tmp_path / "found.csv")!r})
model.similar_items(7001), model.recommend(["nobody"], unknown="popular")
assert not {{"torch", "scipy", "yaml", "snakemake"}} & set(sys.modules)
"""
    alone(code)

    assert (tmp_path / "found.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


@pytest.mark.parametrize(
    ("before", "after"), [("pass", "True False"), ("gc.disable(); gc.freeze()", "False True")]
)
def test_the_import_leaves_the_garbage_collection_as_it_was(before: str, after: str) -> None:
    code = f"""
import gc
{before}
from hashgnn import HashGNN
print(gc.isenabled(), gc.get_freeze_count() > 0)
"""
    assert alone(code) == after


def test_what_needs_an_extra_names_it(fitted: HashGNN, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    code = f"""
from hashgnn import HashGNN, InputError
loaded = HashGNN.load({str(tmp_path)!r})
for call in (
    lambda: HashGNN(epochs=3),
    lambda: HashGNN().fit((["a"], ["b"])),
    lambda: loaded.bits,
    lambda: loaded.recommend(histories={{"zoe": [7001]}}),
    lambda: loaded.update((["a"], ["b"])),
):
    try:
        call()
    except InputError as error:
        print(error)
"""
    lines = alone(code).splitlines()
    assert len(lines) == 5
    for line in lines:
        assert re.fullmatch(r"\w+ is not installed: pip install 'hashgnn\[train\]'", line)


def test_the_model_is_refitted_on_all_interactions_unless_told_otherwise(
    planted: pd.DataFrame, fitted: HashGNN
) -> None:
    without = HashGNN(bits=12, refit=False, **SMALL).fit(planted)
    refitted, alone = fitted.model_.record, without.model_.record

    assert refitted["settings"]["refit"] is True
    assert refitted["refit_epochs"] == refitted["best_epoch"] == alone["best_epoch"]
    assert refitted["refit_interactions"] == len(planted)
    assert "refit" not in alone["settings"]
    assert "refit_epochs" not in alone
    assert fitted.model_.users.vectors.tobytes() != without.model_.users.vectors.tobytes()


def test_a_misspelt_parameter_is_refused_at_once() -> None:
    with pytest.raises(InputError, match=r"learning_rat: unknown .* did you mean learning_rate[?]"):
        HashGNN(learning_rat=0.1)
    with pytest.raises(
        InputError, match=r"epochs: unknown parameter of method puresvd; known: dim"
    ):
        HashGNN(method="puresvd", epochs=3)


def test_parameters_are_read_set_and_copied(planted: pd.DataFrame) -> None:
    guidance = {"floor": 0.25}
    model = HashGNN(12, epochs=3, guidance=guidance)
    params = model.get_params()

    assert list(params)[:5] == ["bits", "method", "epochs", "learning_rate", "batch_size"]
    assert (params["bits"], params["epochs"], params["batch_size"]) == (12, 3, None)
    copied = HashGNN(**params)
    assert copied.get_params() == params
    assert copied.get_params()["guidance"] is guidance  # as scikit-learn's clone checks
    assert model.set_params(bits=16, scale=0.5) is model
    assert (model.bits, model.get_params()["scale"], copied.bits) == (16, 0.5, 12)
    assert "scale" not in copied.get_params()
    with pytest.raises(InputError, match=r"scal: unknown parameter .* did you mean scale[?]"):
        model.set_params(bits=8, scal=1)
    assert model.bits == 16


def test_the_repr_is_a_call() -> None:
    assert repr(HashGNN()) == "HashGNN()"
    model = HashGNN(64, method="mf", epochs=3, refit=False, regularization=0.5)
    text = "HashGNN(bits=64, method='mf', epochs=3, refit=False, regularization=0.5)"
    assert repr(model) == text
    assert eval(text).get_params() == model.get_params()


def test_scikit_learn_clones_it() -> None:
    base = pytest.importorskip("sklearn.base", reason="scikit-learn is not a dependency")
    model = HashGNN(64, method="mf", epochs=3, regularization=0.5)
    assert base.clone(model).get_params() == model.get_params()


@pytest.mark.parametrize(
    ("method", "settings"), [("hashgnn", {**SMALL, "epochs": 2, "history_every": 20}), ("als", {})]
)
def test_the_history_has_the_validation_of_each_epoch(
    planted: pd.DataFrame, tmp_path: Path, method: str, settings: dict[str, Any]
) -> None:
    model = HashGNN(8, method=method, **{"epochs": 2, **settings}).fit(planted)

    validated = model.history_.dropna(subset="validation_hr")
    record = model.model_.record
    assert validated.epoch.tolist() == [1, 2]
    assert validated.validation_hr.max() == record["validation_hr"]
    assert validated.validation_hr.idxmax() == validated.index[record["best_epoch"] - 1]
    assert model.history_.iteration.is_monotonic_increasing
    assert model.history_.auc.notna().any()
    model.save(tmp_path)
    pd.testing.assert_frame_equal(HashGNN.load(tmp_path).history_, model.history_)


@pytest.mark.parametrize("method", ["als", "hashgnn", "popularity"])
def test_equal_weights_are_no_weights(planted: pd.DataFrame, method: str) -> None:
    if method == "popularity":
        settings = {}
    else:
        settings = {"epochs": 2} if method == "als" else {**SMALL, "epochs": 2}
    ones = HashGNN(8, method=method, **settings).fit(planted.assign(n=1), weight="n").model_
    none = HashGNN(8, method=method, **settings).fit(planted).model_

    for one, other in zip((ones.users, ones.items), (none.users, none.items), strict=True):
        np.testing.assert_array_equal(one.codes, other.codes)
        np.testing.assert_array_equal(one.vectors, other.vectors)


@pytest.mark.parametrize("method", ["hashgnn", "hashgnn_plus", "mf", "als"])
def test_what_weighs_more_is_recommended_more(planted: pd.DataFrame, method: str) -> None:
    """Items of every other number weigh 30 times as much as the others."""
    weighted = planted.assign(n=np.where(planted.item % 2, 30.0, 1.0))
    settings = {"epochs": 10} if method == "als" else {**SMALL, "epochs": 10}
    if method == "mf":
        settings = {"epochs": 10, "learning_rate": 0.05}
    shares = []
    for weight in (None, "n"):
        model = HashGNN(12, method=method, refit=False, **settings).fit(weighted, weight=weight)
        recommended = model.recommend(n=3, search="continuous")
        shares.append((recommended.item % 2).mean())
    assert shares[1] > shares[0] + 0.1


@pytest.mark.parametrize("method", sorted({"pte", "puresvd", "bine"} & BUNDLED))
def test_methods_without_weights_refuse_them(planted: pd.DataFrame, method: str) -> None:
    with pytest.raises(InputError, match=f"weight: {method} does not use weights; train without"):
        HashGNN(8, method=method).fit(planted.assign(n=1), weight="n")


def with_groups(planted: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Interactions without every seventh item, and features that tell the groups."""
    known = planted[planted.item % 7 != 0]
    items = pd.DataFrame({"item": range(7000, 7000 + GROUPS * ITEMS)})
    items["group"] = [f"g{(item - 7000) // ITEMS}" for item in items.item]
    users = pd.DataFrame({"user": [f"üser {n}" for n in range(310)]})
    users["taste"] = [n % GROUPS for n in range(310)]
    return known, items, users


@pytest.mark.parametrize("method", ["hashgnn", "hashgnn_plus", "mf", "lightgcn"])
def test_new_items_and_users_are_known_by_their_features(
    planted: pd.DataFrame, tmp_path: Path, method: str
) -> None:
    known, items, users = with_groups(planted)
    settings = {**SMALL, "learning_rate": 0.05}
    if method in ("mf", "lightgcn"):
        settings = {"epochs": 15, "learning_rate": 0.05, "batch_size": 256}
    model = HashGNN(12, method=method, refit=False, **settings)
    model.fit(known, item_features=items, user_features=users)

    new = sorted(set(items.item) - set(known.item))
    found = model.recommend([f"üser {n}" for n in range(40)], n=2, items=new)
    assert own_group(found) > 0.6  # by chance 0.2
    found = model.recommend([f"üser {n}" for n in range(300, 310)], n=10)  # without interactions
    assert own_group(found) > 0.6  # by chance 0.2

    model.save(tmp_path / "model")
    loaded = HashGNN.load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.recommend(n=3), model.recommend(n=3))
    given = loaded.model_.features
    assert given is not None
    assert given.columns == {"user": {"taste": None}, "item": {"group": None}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda items: items[items.item != 7001], "item_features: no row for item '7001'; give"),
        (
            lambda items: pd.concat([items, items[:1]]),
            "item_features, row 100: item '7000' has a row",
        ),
        (lambda items: items.rename(columns={"item": "id"}), "item_features: no column 'item' of"),
        (lambda items: items[["item"]], "item_features: no column besides 'item'"),
        (lambda items: 3, "item_features are int; give a data frame"),
    ],
)
def test_features_that_cannot_be_used(planted: pd.DataFrame, change: Any, message: str) -> None:
    _, items, _ = with_groups(planted)
    with pytest.raises(InputError, match=message):
        HashGNN(8).fit(planted, item_features=change(items))


def test_methods_without_features_refuse_them(planted: pd.DataFrame) -> None:
    _, items, _ = with_groups(planted)
    with pytest.raises(InputError, match="features: als does not use them"):
        HashGNN(8, method="als").fit(planted, item_features=items)
