"""The notebooks: they run, and are kept as one run left them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.docs.blocks import ROOT
from tests.docs.test_pages import WIDTH, broken, long_lines, text

NOTEBOOKS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/notebooks/*.ipynb"))
LARGEST = 150_000  # bytes
# Of any machine, in what a notebook says or its outputs do; web addresses have no such paths.
MACHINE = re.compile(r"(?<![\w.:/-])(?:/(?:home|root|tmp|usr|opt|work|Users|var)/|[A-Z]:\\)[\w.]")


def read(name: str) -> Any:
    return nbformat.read(ROOT / name, as_version=4)


def code(name: str) -> list[Any]:
    return [cell for cell in read(name).cells if cell.cell_type == "code"]


def texts(node: object) -> Iterator[str]:
    """Yield the text of a JSON document, without images."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            if not key.startswith("image/"):
                yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)


def test_there_are_notebooks() -> None:
    assert [Path(name).name for name in NOTEBOOKS] == ["codes.ipynb", "recommend.ipynb"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_valid_and_small(name: str) -> None:
    nbformat.validate(read(name))

    assert (ROOT / name).stat().st_size <= LARGEST


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_are_of_one_run_in_order(name: str) -> None:
    cells = code(name)
    kinds = [output.output_type for cell in cells for output in cell.outputs]

    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert "error" not in kinds
    assert "execute_result" in kinds
    assert "Warning" not in " ".join(texts([cell.outputs for cell in cells]))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_tells_of_the_machine(name: str) -> None:
    document = json.loads(text(name))

    assert [found for found in texts(document) if MACHINE.search(found)] == []


@pytest.mark.parametrize(
    ("line", "tells"),
    [("see /home/anna/x", True), ("in '/tmp/a'", True), ("https://x.org/home/a", False)],
)
def test_what_tells_of_a_machine(line: str, tells: bool) -> None:
    assert bool(MACHINE.search(line)) == tells


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_lines_are_short_and_links_lead_somewhere(name: str) -> None:
    cells = read(name).cells
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    lines = [line for cell in code(name) for line in cell.source.splitlines()]

    assert [line for line in lines if len(line) > WIDTH] == []
    assert long_lines("\n".join(prose)) == []
    assert broken(name) == []  # Markdown's links are the same in JSON


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_and_leaves_no_files(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "started_here"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    where = {"metadata": {"path": str(folder)}}

    NotebookClient(read(name), timeout=600, resources=where).execute()  # raises what a cell raises

    assert list(folder.iterdir()) == []
