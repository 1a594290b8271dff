"""The schema and the reference are what the typed models say."""

import runpy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from snakemake.utils import update_config

ROOT = Path(__file__).parents[2]
GENERATE = runpy.run_path(str(ROOT / "workflow/schemas/generate.py"))
SCHEMA = yaml.safe_load(GENERATE["SCHEMA"].read_text(encoding="utf-8"))
CONFIG = ROOT / "config/config.yaml"


def keys(node: object) -> set[str]:
    """Names of all properties anywhere in a schema."""
    if isinstance(node, list):
        return set().union(*map(keys, node))
    if not isinstance(node, dict):
        return set()
    return set(node.get("properties", {})).union(*map(keys, node.values()))


def test_the_schema_is_up_to_date() -> None:
    assert GENERATE["SCHEMA"].read_text(encoding="utf-8") == GENERATE["schema_text"]()


def test_the_reference_is_up_to_date() -> None:
    page = GENERATE["README"].read_text(encoding="utf-8")

    assert page == GENERATE["with_reference"](page)


def test_the_reference_has_every_key() -> None:
    found = {line.split("`")[1] for line in GENERATE["reference"]().splitlines() if "- `" in line}

    assert keys(SCHEMA) - set(SCHEMA["properties"]) <= {key.rpartition(".")[2] for key in found}


def test_every_key_has_a_description() -> None:
    for line in GENERATE["reference"]().replace("\n  ", " ").splitlines():
        if line.startswith("- "):
            assert line.partition("): ")[2], line


@pytest.mark.parametrize("file", sorted(CONFIG.parent.glob("*.yaml")), ids=lambda f: f.name)
def test_the_shipped_configs_fit_the_schema(file: Path) -> None:
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    update_config(config, yaml.safe_load(file.read_text(encoding="utf-8")))

    jsonschema.validate(config, SCHEMA, jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"training": {"epoch": 1}}, "epoch"),
        ({"models": {"hashgnn": {"parameters": {"rankingweight": 1}}}}, "rankingweight"),
        ({"models": {"mf": {"per_dataset": {"gowalla": {"scal": 1}}}}}, "scal"),
        ({"datasets": {"gowalla": {"filtre": {}}}}, "filtre"),
        ({"grids": {"table5": {"datasets": ["gowalla"]}}}, "table5"),
        ({"evaluation": {"cutofs": [1]}}, "cutofs"),
    ],
)
def test_the_schema_refuses_unknown_keys(changes: dict[str, Any], key: str) -> None:
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    update_config(config, changes)

    with pytest.raises(jsonschema.ValidationError, match=f"'{key}' was unexpected"):
        jsonschema.validate(config, SCHEMA, jsonschema.Draft202012Validator)
