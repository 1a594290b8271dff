"""Each method has its page, and the page shows what the config says."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs/methods"
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
ROW = re.compile(r"^\| `([\w.]+)` \| `([^`]+)` \|", re.MULTILINE)


def leaves(block: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in block.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def defaults(page: str) -> dict[str, Any]:
    """The rows of a page's table of defaults."""
    text = (PAGES / f"{page}.md").read_text()
    return {key: yaml.safe_load(value) for key, value in ROW.findall(text)}


@pytest.mark.parametrize("model", CONFIG["models"])
def test_a_page_shows_the_configs_defaults_and_the_command(model: str) -> None:
    parameters = dict(leaves(CONFIG["models"][model].get("parameters", {})))
    text = (PAGES / f"{model}.md").read_text()

    assert defaults(model) == parameters
    assert f"snakemake -j8 results/movielens/{model}/bits32/seed0/metrics.csv" in text
    assert f"]({model}.md)" in (PAGES / "README.md").read_text()


def test_the_encoders_page_shows_the_configs_defaults() -> None:
    shown = defaults("encoders")

    assert shown
    assert shown == {key: CONFIG["training"][key] for key in shown}
