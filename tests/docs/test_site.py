"""The documentation site: it builds without warnings, is complete, and loads nothing."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.docs.blocks import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; a warning, such as a broken link, fails the build."""
    folder = tmp_path_factory.mktemp("site")
    ran = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    return folder


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|iframe)[^>]* src=\"?(https?:[^\" >]+)", page.read_text()
        )
        links = re.findall(r"<link[^>]* rel=\"?stylesheet[^>]*(https?:[^\" >]+)", page.read_text())
        assert loaded + links == [], page


def test_equations_need_no_script(site: Path) -> None:
    for page in (site / "methods").glob("*.html"):
        text = page.read_text()
        assert "arithmatex" not in text, page
        if page.name != "index.html":
            assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in text, page


def keys(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        properties = node.get("properties", {})
        if isinstance(properties, dict):
            yield from properties
        for value in node.values():
            yield from keys(value)


def test_every_key_of_the_schema_and_every_command_has_its_place(site: Path) -> None:
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    page = (site / "configuration.html").read_text()
    reference = page[page.index("Every key") :]
    shown = {name.rpartition(".")[2] for name in re.findall(r"<code>([\w.*]+)</code>", reference)}

    assert set(keys(schema)) <= shown
    commands = (site / "command-line.html").read_text()
    assert {"train", "recommend", "export", "info"} <= set(
        re.findall(r"Usage: hashgnn (\w+)", commands)
    )


def test_docstrings_are_there(site: Path) -> None:
    public = (site / "python.html").read_text()

    assert "hashgnn.HashGNN.recommend" in public
    assert "hashgnn.search.Index.hierarchical" in public
    assert "hashgnn.search.index.Index.hierarchical" in (site / "api/search.html").read_text()


def test_notebooks_are_pages_with_their_outputs(site: Path) -> None:
    for path in ROOT.glob("docs/notebooks/*.ipynb"):
        page = (site / "notebooks" / f"{path.stem}.html").read_text()
        assert 'src="data:image/png;base64,' in page
        assert re.search(r"<table>\s*<thead>", page)
        assert ".ipynb" not in page
    assert 'href="notebooks/recommend.html"' in (site / "serving.html").read_text()


def test_links_lead_to_the_pages_of_the_site(site: Path) -> None:
    overview = (site / "index.html").read_text()
    answers = " ".join(re.findall(r"<td>.*?</td>", overview, re.DOTALL))
    linked = set(re.findall(r'<a href="?([^" >]+)', answers))

    assert {"configuration.html", "command-line.html", "python.html", "changelog.html"} <= linked
    assert 'href="configuration.html' in (site / "training.html").read_text()


def test_every_page_is_in_the_navigation(site: Path) -> None:
    overview = (site / "index.html").read_text()
    pages = {str(page.relative_to(site)) for page in site.rglob("*.html")} - {"404.html"}

    assert {page for page in pages if f'href="{page}"' not in overview} == set()
