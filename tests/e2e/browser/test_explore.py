"""The page of results in a browser: by mouse, by keyboard, in print."""

from itertools import pairwise
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
from playwright.sync_api import Page

from tests.e2e.browser.layout import faint, outside, picture

pytestmark = pytest.mark.browser


@pytest.fixture
def explore(demo: Path, page: Page) -> Page:
    page.goto((demo / "results/explore.html").as_uri())
    return page


def cells(page: Page) -> list[list[str]]:
    """The table's texts, row by row, without intervals."""
    rows = page.locator("#body tr").all()
    return [
        [cell.split("\n")[0] for cell in row.locator("th, td").all_inner_texts()] for row in rows
    ]


def measured(demo: Path, model: str, search: str, metric: str, bits: int) -> list[str]:
    """What the evaluations say, in the order of n."""
    paths = (demo / f"results/synthetic/{model}/bits{bits}").glob("seed*/metrics.csv")
    frame = pd.concat(map(pd.read_csv, paths))
    chosen = frame[(frame.search == search) & (frame.metric == metric)]
    return [f"{value:.3f}" for value in chosen.groupby("n").value.mean()]


def test_what_it_shows_is_what_was_measured(demo: Path, explore: Page) -> None:
    assert "hierarchical search, K = 32" in explore.inner_text("#table-caption")
    assert explore.inner_text("figcaption") == explore.inner_text("#table-caption")
    rows = {name: values for name, *values in cells(explore)}
    assert rows["HashGNN"] == measured(demo, "hashgnn", "hierarchical", "hr", 32)
    assert rows["GraphSage"] == measured(demo, "graphsage", "continuous", "hr", 32)
    assert explore.locator("#chart polyline").count() == 2

    explore.select_option("[name=measure]", "ndcg")
    explore.select_option("[name=search]", "hamming")
    explore.select_option("[name=fixed]", "16")

    assert explore.inner_text("#table-caption").startswith("NDCG@n")
    rows = {name: values for name, *values in cells(explore)}
    assert rows["HashGNN"] == measured(demo, "hashgnn", "hamming", "ndcg", 16)


def test_everything_is_done_from_the_keyboard(explore: Page) -> None:
    asked = []
    for _ in range(12):
        explore.keyboard.press("Tab")
        asked.append(explore.evaluate("document.activeElement.name || document.activeElement.type"))
    assert asked[:8] == [
        "dataset",
        "measure",
        "search",
        "axis",
        "fixed",
        "model",
        "model",
        "button",
    ]

    explore.focus("[name=axis]")
    explore.keyboard.press("ArrowDown")
    headings = explore.locator("#head th").all_inner_texts()
    assert headings == ["Method", "K = 16", "K = 32"]

    explore.focus("#head th:nth-child(1) button")
    explore.keyboard.press("Enter")
    names = [row[0] for row in cells(explore)]
    assert names == sorted(names)
    explore.keyboard.press("Enter")  # the same button has the focus again
    assert [row[0] for row in cells(explore)] == names[::-1]

    explore.focus("[name=model][value=graphsage]")
    explore.keyboard.press("Space")
    assert [row[0] for row in cells(explore)] == ["HashGNN"]


def test_print_leaves_what_is_shown_and_no_controls(explore: Page) -> None:
    explore.emulate_media(media="print")

    assert not explore.locator("select").first.is_visible()
    for shown in ("figcaption", "#chart", "table", "#methods .swatch >> nth=0"):
        assert explore.locator(shown).is_visible()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("axis", ["n", "bits", "bytes"])
def test_it_fits_the_window_and_can_be_read(
    explore: Page, width: int, scheme: Literal["light", "dark"], axis: str
) -> None:
    explore.set_viewport_size({"width": width, "height": 800})
    explore.emulate_media(color_scheme=scheme)
    explore.select_option("[name=axis]", axis)
    picture(explore, f"explore-{axis}")

    assert outside(explore, ".scroll") == []
    assert faint(explore) == []


def test_the_address_leads_to_what_is_shown(explore: Page) -> None:
    explore.select_option("[name=search]", "hamming")
    explore.select_option("[name=axis]", "bits")
    explore.uncheck("[name=model][value=graphsage]")
    shown = cells(explore), explore.inner_text("#table-caption")

    address = explore.url
    explore.goto("about:blank")
    explore.goto(address)

    assert (cells(explore), explore.inner_text("#table-caption")) == shown
    assert len(shown[0]) == 1


def test_n_is_on_a_linear_axis(explore: Page) -> None:
    points = explore.locator("#chart polyline").first.get_attribute("points")
    assert points is not None
    x = [float(point.split(",")[0]) for point in points.split()]
    share = [(value - x[0]) / (x[-1] - x[0]) for value in x]
    assert share == pytest.approx([(n - 20) / 180 for n in (20, 50, 100, 150, 200)], abs=1e-3)


def test_the_vertical_axis_has_numbers_of_equal_digits(explore: Page) -> None:
    explore.select_option("[name=search]", "hamming")
    ticks = explore.locator("#chart text[text-anchor=end]").all_text_contents()
    values = [float(tick) for tick in ticks]

    assert len({len(tick) for tick in ticks}) == 1
    steps = [high - low for low, high in pairwise(values)]
    assert steps == pytest.approx([values[1]] * len(steps))


def test_a_table_wider_than_the_window_has_a_shade(explore: Page) -> None:
    explore.set_viewport_size({"width": 390, "height": 800})
    box = explore.locator(".scroll")

    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    attached = box.evaluate("box => getComputedStyle(box).backgroundAttachment")
    assert attached == "local, scroll"  # the first covers the second at the end of the table


def test_each_method_has_its_marker(explore: Page) -> None:
    shapes = explore.locator("#chart path").evaluate_all("all => all.map(p => p.getAttribute('d'))")
    assert len(set(shapes)) == 2


def test_the_table_is_downloaded_as_csv(explore: Page) -> None:
    with explore.expect_download() as download:
        explore.click("#csv")

    table = pd.read_csv(download.value.path())
    assert table.columns.tolist() == ["method", *(f"n = {n}" for n in (20, 50, 100, 150, 200))]
    shown = {name: values for name, *values in cells(explore)}
    for row in table.to_dict("records"):
        name = row.pop("method")
        assert [f"{value:.3f}" for value in row.values()] == shown[name]


def test_quality_against_bytes_shows_all_searches(explore: Page) -> None:
    explore.select_option("[name=axis]", "bytes")

    headings = explore.locator("#head th").all_inner_texts()
    # Codes of 16 and 32 bits, floats of as many dimensions, both.
    assert headings == ["Method", *(f"{size} bytes" for size in (2, 4, 64, 66, 128, 132))]
