import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.cli import parse_config
from snakemake.utils import update_config

from hashgnn.config.model import in_order, refuse_repeated_keys, resolve, with_types
from hashgnn.errors import InputError

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


def test_what_a_paper_prints_updates_the_entry_if_the_settings_are_printed() -> None:
    entry = {"parameters": {"guidance": {"floor": 0.0}}, "negatives": 5, "shown_in": ["table4"]}
    changes: dict[str, Any] = {"models": {"hashgnn": {"printed": entry}}}

    shipped = on_top(changes)["models"]["hashgnn"]
    printed = on_top({**changes, "settings": "printed"})["models"]["hashgnn"]

    assert "printed" not in {*shipped, *printed}
    assert (shipped["parameters"]["guidance"]["floor"], "negatives" in shipped) == (0.5, False)
    assert printed["parameters"]["guidance"] == shipped["parameters"]["guidance"] | {
        "floor": 0.0,
        "step": 0.05,
        "every": 250,
        "unit": "iterations",
    }
    assert (printed["negatives"], printed["shown_in"]) == (5, ["table4"])


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


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key a was given in line 1; keep one"),
        ("m:\n  x: {e: 1,\n    f: 2, e: 3}\n", "line 3: the key e was given in line 2"),
        ("l:\n- {e: 1, e: 1}\n", "line 2: the key e was given before"),
        ('{\n\t"a": 1,\n\t"a": 2\n}', "line 3: the key a was given in line 2"),
    ],
)
def test_a_key_given_twice_is_refused(tmp_path: Path, text: str, mistake: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)

    with pytest.raises(InputError) as caught:
        refuse_repeated_keys([file])

    assert str(caught.value).startswith(f"{file}, {mistake}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: {x: 1}\nb: {x: 1}\n",
        "a: &m {x: 1}\nb: &n {y: 1}\nc: {<<: *m, <<: *n, x: 2}\nd: *m\n",
    ],
)
def test_other_files_are_good(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)

    refuse_repeated_keys([tmp_path / "mine.yaml", *(ROOT / "config").glob("*.yaml")])


BASE = {"training": {"epochs": 5, "widths": [4], "engine": "auto"}, "name": "n"}


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("training={epochs: 64}", {"epochs": 64}),
        ("training={epochs: '64'}", {"epochs": "64"}),
        ("training={learning_rate: 1.0e-3, user: true, x: null}", None),
        ("training={widths: [8, 6], engine: full}", {"widths": [8, 6], "engine": "full"}),
        ("training={guidance: {every: 0.5}}", {"guidance": {"every": 0.5}}),
        ('training={"epochs": 64}', {"epochs": 64}),
        ("name=12", {}),
        ("training={1: 2}", {"1": 2}),
    ],
)
def test_nested_values_of_the_command_line_have_the_types_of_yaml(
    argument: str, expected: dict[str, Any] | None
) -> None:
    config: dict[str, Any] = {**BASE, "training": {**BASE["training"]}}  # type: ignore[dict-item]
    given = parse_config([argument])  # all nested values are texts
    update_config(config, given)
    if expected is None:
        expected = yaml.safe_load(argument.partition("=")[2])

    found = with_types(config, [argument])

    assert found["training"] == {**BASE["training"], **expected}  # type: ignore[dict-item]
    assert found["name"] == config["name"]


def test_values_of_another_workflow_are_left_alone() -> None:
    """``--config`` is that of the workflow which takes this one in, ``config`` what it hands on."""
    config = {"training": {"epochs": 5, "engine": "auto"}}

    assert with_types(config, ["training={epochs: 64}", "other={a: 1}"]) == config


@pytest.mark.parametrize("argument", ["training={epochs: 1, epochs: 2}", "training={epochs: 1"])
def test_what_is_no_yaml_is_refused(argument: str) -> None:
    with pytest.raises(InputError, match=r"^--config training"):
        with_types({"training": {}}, [argument])


def test_entries_are_in_the_order_of_the_shipped_file(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("models: {a: {x: 1}, b: {}, gone: {}}\ndevice: auto\n")
    config = {"models": {"own": {}, "b": {"y": 2}, "a": {}}, "device": "cpu", "grids": {"g": 1}}

    ordered = in_order(config, file)

    assert ordered == config
    assert list(ordered["models"]) == ["a", "b", "own"]
