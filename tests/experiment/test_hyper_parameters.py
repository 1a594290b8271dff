"""Wrong hyper-parameters, and the line that names each before anything runs."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from hashgnn.errors import InputError
from hashgnn.experiment.hyper_parameters import check_hyper_parameters, check_once
from tests.e2e.workflow.project import merged

ROOT = Path(__file__).parents[2]
SHIPPED = yaml.safe_load((ROOT / "config/config.yaml").read_text())
# Two data sets and few methods: each is checked on each.
CONFIG = {
    **SHIPPED,
    "datasets": {name: SHIPPED["datasets"][name] for name in ("movielens", "gowalla")},
    "models": {
        name: SHIPPED["models"][name]
        for name in ("hashgnn", "hashgnn_nr", "hash_ste", "graphsage", "lsh", "als", "mf")
    },
}


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("*.yaml")), ids=lambda f: f.name)
def test_the_shipped_configs_are_good(file: Path) -> None:
    check_hyper_parameters(merged(SHIPPED, yaml.safe_load(file.read_text())))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": {"learning_rate": "1e-3"}}, "training.learning_rate: expected a number, got"),
        ({"training": {"epochs": 2.5}}, "training.epochs: expected a whole number, got 2.5"),
        ({"training": {"epochs": 0}}, "training.epochs: expected 1 or more, got 0"),
        ({"training": {"widths": []}}, "training.widths: expected a non-empty list"),
        ({"training": {"widths": [8]}}, "training.widths: found 1, but fanouts has 2; expected"),
        ({"training": {"scale": -1.0}}, "training.scale: expected 0 or more, got -1.0"),
        (
            {"training": {"learning_rate": float("nan")}},
            "training.learning_rate: expected a finite",
        ),
        (
            {"training": {"encoder": "hashgnn.models.encoders.men"}},
            "training.encoder: hashgnn.models.encoders.men: No",
        ),
        (
            {"training": {"encoder": "hashgnn.models.mf"}},
            "training.encoder: hashgnn.models.mf has no function build",
        ),
        ({"training": {"encoder": ""}}, "training.encoder: : Empty module name"),
        ({"training": {"encoder": ".mean"}}, "training.encoder: .mean: the 'package' argument"),
        (
            {
                "training": {
                    "encoder": "hashgnn.models.encoders.convolution",
                    "convolution": "GATConvx",
                }
            },
            "training.convolution: GATConvx: torch_geometric.nn has no such convolution",
        ),
        (
            {"datasets": {"gowalla": {"training": {"epoch": 2}}}},
            "datasets.gowalla.training.epoch: unknown key; known keys: aggregator, ",
        ),
        (
            {"models": {"hashgnn": {"parameters": {"learning_rat": 0.1}}}},
            "models.hashgnn.parameters.learning_rat: unknown key; known keys: aggregator, ",
        ),
        (
            {"models": {"hashgnn": {"parameters": {"guidance": {"unit": "steps"}}}}},
            "models.hashgnn.parameters.guidance.unit: expected one of 'iterations', 'epochs', got",
        ),
        (
            {"models": {"hashgnn": {"parameters": {"guidance": {"floor": 1.5}}}}},
            "models.hashgnn.parameters.guidance.floor: expected 1 or less, got 1.5",
        ),
        (
            {"models": {"hashgnn": {"per_dataset": {"movielens": {"epochs": "2"}}}}},
            "models.hashgnn.per_dataset.movielens.epochs: expected a whole number, got '2'",
        ),
        (
            {"models": {"als": {"parameters": {"scale": 1}}}},
            "models.als.parameters.scale: unknown key",
        ),
        (
            {"models": {"als": {"parameters": {"alpha": -1}}}},
            "models.als.parameters.alpha: expected",
        ),
        (
            {"models": {"lsh": {"parameters": {"epochs": 1}}}},
            "models.lsh.parameters.epochs: unknown key; known keys: none",
        ),
        (
            {"models": {"als": {"shared_training": True}}},
            "models.als.shared_training: hashgnn.models",
        ),
        (
            {"models": {"mf": {"shared_training": False}}},
            "models.mf.shared_training: hashgnn.models",
        ),
        (
            {"models": {"mf": {"pretrained": "als"}}},
            "models.mf.pretrained: hashgnn.models.mf hashes no",
        ),
        (
            {"models": {"mf": {"module": "hashgnn.models.fm"}}},
            "models.mf.module: hashgnn.models.fm",
        ),
        (
            {"models": {"mf": {"module": "hashgnn.files"}}},
            "models.mf.module: hashgnn.files declares no METHOD",
        ),
        (
            {"sweeps": {"ranking_weight": {"values": [0.5, "much"]}}},
            "sweeps.ranking_weight.values: ranking_weight: expected a number, got 'much'",
        ),
        (
            {"models": {"hash_ste": {"tuning": {"scale": {"low": -1, "log": False}}}}},
            "models.hash_ste.tuning.scale: expected 0 or more, got -1",
        ),
    ],
)
def test_a_mistake_is_named_by_its_key(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        check_hyper_parameters(merged(CONFIG, change))

    assert str(caught.value).splitlines()[0].startswith(message)


def test_a_method_over_whole_neighborhoods_takes_no_share_of_them() -> None:
    """LightGCN and MF set the engine themselves: what sampled methods may have is no mistake."""
    check_hyper_parameters(merged(SHIPPED, {"training": {"neighbor_share": 0.5}}))


def test_nested_keys_are_found_where_they_stand() -> None:
    """One data set sets another part of the mapping."""
    change = {
        "parameters": {"guidance": {"floor": 2.0}},
        "per_dataset": {"movielens": {"guidance": {"start": 1.0, "floor": 2.0}}},
    }
    with pytest.raises(InputError) as caught:
        check_hyper_parameters(merged(CONFIG, {"models": {"hashgnn": change}}))

    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "models.hashgnn.per_dataset.movielens.guidance.floor",
        "models.hashgnn.parameters.guidance.floor",
    ]


def test_a_mistake_in_what_all_share_is_said_once() -> None:
    with pytest.raises(InputError) as caught:
        check_hyper_parameters(merged(CONFIG, {"training": {"epochs": "2"}}))

    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "key", "nearest"),
    [
        (
            {"models": {"hashgnn": {"parameters": {"rankingweight": 0.1}}}},
            "models.hashgnn.parameters.rankingweight",
            "ranking_weight",
        ),
        (
            {"models": {"hashgnn": {"parameters": {"guidance": {"flor": 0.1}}}}},
            "models.hashgnn.parameters.guidance.flor",
            "floor",
        ),
        ({"training": {"learningrate": 0.1}}, "training.learningrate", "learning_rate"),
        (
            {"models": {"als": {"per_dataset": {"movielens": {"epoch": 1}}}}},
            "models.als.per_dataset.movielens.epoch",
            "epochs",
        ),
    ],
)
def test_the_nearest_key_is_proposed(change: dict[str, Any], key: str, nearest: str) -> None:
    with pytest.raises(InputError) as caught:
        check_hyper_parameters(merged(CONFIG, change))

    assert str(caught.value).startswith(f"{key}: unknown key; known keys: ")
    assert str(caught.value).endswith(f"; did you mean {nearest}?")


def test_all_mistakes_of_a_model_are_named_at_once() -> None:
    change = {"models": {"als": {"parameters": {"alpha": -1.0, "regularization": "much"}}}}

    with pytest.raises(InputError) as caught:
        check_hyper_parameters(merged(CONFIG, change))

    assert str(caught.value).splitlines() == [
        "models.als.parameters.alpha: expected 0 or more, got -1.0",
        "models.als.parameters.regularization: expected a number, got 'much'",
    ]


def test_what_was_found_good_is_not_checked_again(tmp_path: Path) -> None:
    wrong = merged(CONFIG, {"training": {"epochs": "2"}})
    check_once(CONFIG, "code", tmp_path)
    (good,) = tmp_path.iterdir()
    copied = copy.deepcopy(CONFIG)
    copied["evaluation"]["cutoffs"] = [50]
    copied["models"]["hashgnn"] |= {"color": "#123456", "marker": "o", "name": "Another"}

    check_once(copied, "code", tmp_path)

    assert list(tmp_path.iterdir()) == [good]
    for _ in range(2):  # a mistake is never remembered
        with pytest.raises(InputError):
            check_once(wrong, "code", tmp_path)
    check_once(CONFIG, "other code", tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
