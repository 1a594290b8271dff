import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from hashgnn.config.model import resolve

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
# In the order of the config; a method that is removed is missing.
PAPERS = ["hashgnn", "hashgnn_nr", "hashgnn_sp", "hash_ste", "hash_gumb", "hashnet", "lsh"]
ALL = [*PAPERS, "graphsage", "pte", "bine", "mf", "hashgnn_plus"]


def on_top(changes: dict[str, Any]) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    update_config(config, changes)
    return resolve(config)


@pytest.mark.parametrize(
    ("grid", "models"),
    [
        ("fig1", ["hash_ste", "hash_gumb", "hashnet", "lsh", "graphsage"]),
        ("fig3", [*PAPERS, "hashgnn_plus"]),
        ("fig4", ["hashgnn_nr", "hash_ste"]),
        ("fig6", ["hashgnn_nr", "hash_ste"]),
        ("fig7", ["hashgnn_nr"]),
        ("table2", ALL),
        ("table3", ALL),
        ("table4", ["hashgnn"]),
    ],
)
def test_grids_have_the_models_that_are_shown_in_them(grid: str, models: list[str]) -> None:
    expected = [model for model in models if model in CONFIG["models"]]
    assert resolve(CONFIG)["grids"][grid]["models"] == expected


@pytest.mark.parametrize("grid", ["fig5", "table1"])
def test_grids_without_models_get_none(grid: str) -> None:
    assert "models" not in resolve(CONFIG)["grids"][grid]


def test_a_method_comes_and_goes_with_its_entry() -> None:
    entry = {"name": "Mine", "module": "hashgnn.models.mf", "shown_in": ["table2"]}
    config = copy.deepcopy(CONFIG)
    del config["models"]["hash_ste"]
    config["models"]["mine"] = entry

    grids = resolve(config)["grids"]

    assert grids["table2"]["models"] == [*(m for m in ALL if m in config["models"]), "mine"]
    assert "hash_ste" not in grids["fig1"]["models"]


def test_models_that_a_grid_names_are_kept() -> None:
    made = on_top({"grids": {"table2": {"models": ["mf"]}, "fig3": None}})

    assert made["grids"]["table2"]["models"] == ["mf"]
    assert "fig3" not in made["grids"]


def test_the_spaces_of_tuning_are_those_of_the_models() -> None:
    spaces = resolve(CONFIG)["tuning"]["spaces"]

    assert list(spaces) == [m for m in CONFIG["models"] if "tuning" in CONFIG["models"][m]]
    assert spaces["als"]["alpha"] == {"low": 1.0, "high": 320.0, "log": True}


def test_the_config_itself_is_not_changed() -> None:
    config = copy.deepcopy(CONFIG)
    resolve(config)

    assert config == CONFIG


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"tuning": None}, "tuning"),
        (
            {"datasets": {"taobao_userbehavior": {"filter": None}}},
            "datasets taobao_userbehavior filter",
        ),
        ({"models": {"hash_ste": {"tuning": None}}}, "models hash_ste tuning"),
        ({"models": {"mf": {"negatives": None}}}, "models mf negatives"),
        (
            {"datasets": {"taobao_userbehavior": {"split": {"test": None}}}},
            "datasets taobao_userbehavior split test",
        ),
        ({"grids": {"table4": None}}, "grids table4"),
    ],
)
def test_null_is_as_good_as_no_key(changes: dict[str, Any], path: str) -> None:
    *parents, last = path.split()
    block = on_top(changes)
    for key in parents:
        block = block[key]

    assert last not in block


def test_random_splits_test_a_share() -> None:
    made = on_top({"datasets": {"gowalla": {"split": {"test": 0.2}}}})["datasets"]

    assert made["movielens"]["split"] == {
        "by": "random",
        "test": 0.3,
        "validation": 0.1,
        "seed": 0,
    }
    assert made["gowalla"]["split"]["test"] == 0.2
    assert "test" not in made["taobao_userbehavior"]["split"]
