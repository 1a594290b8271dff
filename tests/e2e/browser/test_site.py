"""The documentation site in a browser: nothing is cut off, printed over or too faint."""

import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.e2e.browser.layout import faint, outside, picture, settled

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[3]
PAGES = ("index", "glossary", "methods/hashgnn", "methods/index", "reproduction/index", "search")
SCROLLING = (
    ".md-typeset__scrollwrap, .md-typeset__table, .equation, pre, .md-tabs, .headerlink, "
    "p:has(> img)"
)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
    )
    return folder


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_the_window_and_can_be_read(
    site: Path, page: Page, name: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto((site / f"{name}.html").as_uri())
    picture(page, name.replace("/", "-"))

    assert outside(page, SCROLLING) == []
    assert faint(page) == []


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_all_pages_fit_the_window_and_can_be_read(
    site: Path, page: Page, width: int, scheme: Literal["light", "dark"]
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = {}
    for path in sorted({*site.rglob("*.html")} - {site / "404.html"}):  # has addresses of a server
        page.goto(path.as_uri())
        settled(page)
        found[path.relative_to(site).as_posix()] = outside(page, SCROLLING) + faint(page)

    assert {name: what for name, what in found.items() if what} == {}


def test_a_wide_table_scrolls_below_its_first_column(site: Path, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto((site / "reproduction/index.html").as_uri())
    tables = page.locator("table:not([class])")
    widest = max(
        tables.all(), key=lambda t: t.evaluate("t => t.scrollWidth / t.clientWidth"), default=None
    )
    assert widest is not None
    lefts = "row => [...row.children].map(cell => cell.getBoundingClientRect().left)"
    row = widest.locator("tbody tr").last
    before = row.evaluate(lefts)

    widest.evaluate("table => { table.scrollLeft = 40; }")

    after = row.evaluate(lefts)
    assert after[0] == pytest.approx(before[0], abs=1)
    assert after[1:] == pytest.approx([left - 40 for left in before[1:]], abs=1)
    shade = widest.evaluate("table => getComputedStyle(table).backgroundAttachment")
    assert shade == "local, scroll"  # the second is covered by the first at the table's end


@pytest.mark.parametrize("width", [390, 1280])
def test_no_equation_is_printed_over_another(site: Path, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for path in sorted((site / "methods").glob("*.html")):
        page.goto(path.as_uri())
        boxes = page.locator("math[display=block]").evaluate_all(
            "all => all.map(o => o.getBoundingClientRect())"
            ".map(b => [b.left, b.top, b.right, b.bottom])"
        )
        for one, other in combinations(boxes, 2):
            apart = one[2] <= other[0] or other[2] <= one[0]
            apart |= one[3] <= other[1] or other[3] <= one[1]
            assert apart, (path.name, one, other)


def test_the_palette_can_be_switched(site: Path, page: Page) -> None:
    page.goto((site / "index.html").as_uri())
    before = page.locator("body").get_attribute("data-md-color-scheme")
    for _ in range(2):
        page.locator("form[data-md-component=palette] label:visible").first.click()
    schemes = {before, page.locator("body").get_attribute("data-md-color-scheme")}

    assert "slate" in schemes
