"""Every Markdown page of the repository: line lengths, links and paths that lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.docs.blocks import ROOT, blocks

WIDTH = 100
FOLDERS = ("config", "docs")
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob("*.md"), *(p for f in FOLDERS for p in (ROOT / f).rglob("*.md"))]
)
_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_PATH = re.compile(r"`((?:benchmarks|config|docs|hashgnn|profiles|tests|workflow)/[\w./-]+)`")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)

DATED = {"docs/history.md"}  # may name what was removed


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def long_lines(markdown: str) -> list[str]:
    """Return the lines over the limit that could be broken: no table rows, no single link."""
    lines = [line for line in markdown.splitlines() if len(line) > WIDTH]
    return [line for line in lines if not line.startswith("|") and not _LINK.fullmatch(line)]


def links(markdown: str) -> Iterator[tuple[str, str]]:
    """Yield path and anchor of each relative link outside code blocks."""
    for target in _LINK.findall(_FENCE.sub("", markdown)):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield path, anchor


def anchors(markdown: str) -> set[str]:
    """Return the anchors that GitHub and the site give to the headings of a page."""
    headings = _HEADING.findall(_FENCE.sub("", markdown))
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {word.strip().replace(" ", "-") for word in words}


def broken(page: str) -> list[str]:
    """Return the relative links of ``page`` that lead nowhere in the repository."""
    found = []
    for path, anchor in links(text(page)):
        target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            found.append(f"{path}#{anchor}")
    return found


@pytest.mark.parametrize("page", PAGES)
def test_lines_are_short(page: str) -> None:
    assert long_lines(text(page)) == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    assert broken(page) == []


@pytest.mark.parametrize("page", [page for page in PAGES if page not in DATED])
def test_paths_exist(page: str) -> None:
    assert [path for path in _PATH.findall(text(page)) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("line", "n_long"),
    [
        ("word " * 20, 0),
        ("word " * 20 + "w", 1),
        ("| cell |" + "x" * 100, 0),
        (f"![figure](docs/{'x' * 100}.svg)", 0),
        (f"see ![figure](docs/{'x' * 100}.svg)", 1),
    ],
)
def test_what_counts_as_a_long_line(line: str, n_long: int) -> None:
    assert len(long_lines(line)) == n_long


def test_what_counts_as_a_link() -> None:
    markdown = "[a](b.md#c), [w](https://w.org), ![i](i.svg), [here](#d)\n```sh\n[x](y)\n```\n"

    assert list(links(markdown)) == [("b.md", "c"), ("i.svg", ""), ("", "d")]


def test_anchors_are_those_of_github() -> None:
    assert anchors("# A title\n## Figure 4: loss, `p` (plain)\n") == {
        "a-title",
        "figure-4-loss-p-plain",
    }


@pytest.mark.parametrize("link", ["page.md", "other/", "page.md#a-title", "#a-title"])
def test_only_a_broken_link_is_found(link: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    page = tmp_path / "page.md"
    page.write_text(f"# A title\n[good]({link}) [bad]({link}x)")

    assert [found.rstrip("#") for found in broken(str(page))] == [f"{link}x"]


@pytest.mark.parametrize("page", [page for page in PAGES if "reader: table" in text(page)])
def test_examples_of_own_data_keep_their_results_apart(page: str) -> None:
    configs = [yaml.safe_load(code) for code in blocks(page, "yaml") if "reader: table" in code]

    assert not [config for config in configs if "datasets" in config and "workdir" not in config]
