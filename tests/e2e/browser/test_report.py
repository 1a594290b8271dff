"""Snakemake's report in a browser without a network: every result can be seen, with its caption."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from tests.e2e.browser.layout import faint, picture

pytestmark = pytest.mark.browser

TABLE = "Table 2: hierarchical search"
FIGURE = "Figure 3: recall of Hamming search"
PAGE = "Every method, search, code length and list length"
CAPTIONS = {
    ("Figures", FIGURE): "HR@n (recall) of Hamming search",
    ("Tables", "Table 1: sizes of the data sets"): "Statistics of the data sets",
    ("Tables", TABLE): "Values are means over users, then over seeds",
    ("Claims", "What the paper says, and whether it holds"): "Statements of the paper",
    ("Checks", "Consistency of all results"): "Consistency checks of the results",
    ("All results", PAGE): "choose data set, metric, search",
}


def opened(page: Page, demo: Path, category: str, label: str) -> Locator:
    """Return the buttons of a result: view, download, description."""
    page.goto("about:blank")
    page.goto((demo / "report.html").as_uri())
    page.get_by_text(category, exact=True).first.click()
    row = page.locator("tr", has=page.get_by_text(label, exact=True))
    row.first.wait_for()
    return row.first.locator("a")


@pytest.mark.parametrize(("category", "label"), CAPTIONS)
def test_every_result_has_its_caption(demo: Path, page: Page, category: str, label: str) -> None:
    opened(page, demo, category, label).last.click()

    page.get_by_text("DESCRIPTION", exact=False).first.wait_for()
    shown = " ".join(page.inner_text("body").split())
    assert CAPTIONS[category, label] in shown


def test_a_figure_is_shown(demo: Path, page: Page) -> None:
    opened(page, demo, "Figures", FIGURE).first.click()

    image = page.locator("img[src*='filename=fig3.svg']")
    image.wait_for()
    assert image.evaluate("image => image.naturalWidth") > 100


def test_a_table_is_shown_as_a_table(demo: Path, page: Page) -> None:
    opened(page, demo, "Tables", TABLE).first.click()

    table = page.frame_locator("iframe").locator("table")
    titles = table.locator("thead th").all_inner_texts()
    assert titles == ["Method", "HR@50", "HR@100", "NDCG@50", "NDCG@100", "Place"]
    assert table.locator("tbody th").all_inner_texts() == ["Synthetic (demo), 32 bits"]
    assert table.locator("tbody td:first-child").all_inner_texts() == ["HashGNN", "GraphSage"]


def test_the_report_opens_with_a_summary(demo: Path, page: Page) -> None:
    page.goto((demo / "report.html").as_uri())

    text = page.locator(".prose").inner_text()
    assert "8 trainings of 2 methods (codes of 16 and 32 bits, 2 seeds each)" in text
    assert "Generated data say nothing about real users: Synthetic (demo)" in text
    assert "Hamming search HashGNN" in text
    assert "claims of the paper" in text
    page.locator("#rulegraph svg, #rulegraph canvas").first.wait_for()


def test_the_page_of_results_works_within_the_report(demo: Path, page: Page) -> None:
    opened(page, demo, "All results", PAGE).first.click()

    inner = page.frame_locator("iframe")
    inner.locator("[name=search]").select_option("hamming")
    assert "Hamming search" in inner.locator("#table-caption").inner_text()
    assert inner.locator("#body tr").count() == 2


@pytest.mark.parametrize("width", [390, 1280])
def test_the_first_page_fits_the_window_and_can_be_read(demo: Path, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((demo / "report.html").as_uri())
    page.locator(".prose").wait_for()
    picture(page, "report")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faint(page) == []
