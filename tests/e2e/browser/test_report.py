"""Snakemake's report in a browser without a network: every result can be seen, with its caption."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

CAPTIONS = {
    ("Figures", "fig3"): "HR@n (recall) of Hamming search",
    ("Tables", "table1"): "Statistics of the data sets",
    ("Tables", "table2"): "500 candidates by Hamming distance",
    ("Claims", "claims"): "Statements of the paper",
    ("Checks", "checks"): "Consistency checks of the results",
    ("All results", "data set, method, K and n"): "choose data set, metric, search",
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
    opened(page, demo, "Figures", "fig3").first.click()

    image = page.locator("img[src*='filename=fig3.svg']")
    image.wait_for()
    assert image.evaluate("image => image.naturalWidth") > 100


def test_a_table_is_kept_as_it_was_made(demo: Path, page: Page) -> None:
    buttons = opened(page, demo, "Tables", "table2")

    with page.expect_download() as download:
        buttons.first.click()

    kept = Path(download.value.path()).read_text(encoding="utf-8")
    assert kept == (demo / "results/table2.csv").read_text(encoding="utf-8")
    assert {row["model"] for row in csv.DictReader(kept.splitlines())} == {"hashgnn", "graphsage"}


def test_the_page_of_results_works_within_the_report(demo: Path, page: Page) -> None:
    opened(page, demo, "All results", "data set, method, K and n").first.click()

    inner = page.frame_locator("iframe")
    inner.locator("[name=search]").select_option("hamming")
    assert "Hamming search" in inner.locator("#table-caption").inner_text()
    assert inner.locator("#body tr").count() == 2
