"""The committed results are what the workflow's own code makes of the committed values.

``make pages`` replaces what remake.py makes: the tests of that are for the time before.
"""

import re
import runpy
from pathlib import Path

import pandas as pd
import pytest

from hashgnn.reporting.checks import check_table
from hashgnn.reporting.entries import PAGES as SUBPAGES

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs/reproduction"
TABLES = ("methods", "table2", "table3")
BEGIN, END = "<!-- results: make pages -->\n", "<!-- end of results -->"
PUBLISH = runpy.run_path(str(PAGES / "publish.py"))

is_published = (PAGES / "headline.csv").exists()
before = pytest.mark.skipif(is_published, reason="make pages has written the pages")
after = pytest.mark.skipif(not is_published, reason="needs the pages of make pages")


def held(folder: Path) -> dict[int, set[str]]:
    """The numbers in the CSV files of a folder, by decimals that a page may show of them."""
    values: set[float] = set()
    for path in folder.glob("*.csv"):
        text = path.read_text(encoding="utf-8")
        values |= {float(found) for found in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", text)}
        table = pd.read_csv(path)
        if {"low", "high"} <= set(table.columns):  # tables show half of an interval
            values |= set((table["high"] - table["low"]).dropna() / 2)
        if "density" in table.columns:  # in percent
            values |= set(100 * table["density"])
    return {places: {f"{abs(v):.{places}f}" for v in values} for places in range(1, 7)}


def unheld(text: str, numbers: dict[int, set[str]]) -> list[str]:
    """The decimal numbers of a page that no CSV file has."""
    shown = re.findall(r"(?<![\w./-])-?(\d[\d,]*\.(\d+))(?![\w.]|-\d)", text)
    return [n for n, decimals in shown if n.replace(",", "") not in numbers[len(decimals)]]


def generated(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]


@pytest.mark.parametrize("page", ["README.md", "docs/README.md"])
def test_the_first_pages_show_numbers_of_the_results(page: str) -> None:
    text = generated(page)

    assert re.search(r"\d\.\d{3}", text)
    assert unheld(text, held(PAGES)) == []
    assert unheld(text.replace("0.", "0.9"), held(PAGES))  # others would be found


@after
@pytest.mark.parametrize("page", ["README", *SUBPAGES])
def test_every_number_of_a_page_is_in_a_file(page: str) -> None:
    assert unheld((PAGES / f"{page}.md").read_text(encoding="utf-8"), held(PAGES)) == []


@after
@pytest.mark.parametrize(("page", "folder"), [("README.md", "docs/"), ("docs/README.md", "")])
def test_the_first_pages_show_the_headline(page: str, folder: str) -> None:
    rates = pd.read_csv(PAGES / "headline.csv")["mean"]

    text = generated(page)

    shown = re.findall(r"\| (?:\*\*)?(0\.\d{3})", text)
    assert sorted(shown) == sorted(f"{rate:.3f}" for rate in rates)
    assert f"({folder}reproduction/fig" in text


def test_a_first_page_is_filled_between_its_marks() -> None:
    page = f"before\n{BEGIN}\nold 0.1\n\n{END}\nafter\n"
    headline = "![F](fig3.svg)\n\n| 0.2 |\n"

    filled = PUBLISH["filled"](page, headline, "docs/reproduction/")

    new = f"{BEGIN}\n![F](docs/reproduction/fig3.svg)\n\n| 0.2 |\n\n{END}"
    assert filled == f"before\n{new}\nafter\n"
    assert PUBLISH["filled"](filled, headline, "docs/reproduction/") == filled


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reproduction")
    runpy.run_path(str(PAGES / "remake.py"))["main"](folder)
    return folder


@before
@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_what_its_own_code_makes_of_the_values(made: Path, name: str) -> None:
    one, other = (pd.read_csv(folder / f"{name}.csv") for folder in (made, PAGES))

    pd.testing.assert_frame_equal(one, other, rtol=1e-12)
    for suffix in ("md", "tex"):
        assert (made / f"{name}.{suffix}").read_text() == (PAGES / f"{name}.{suffix}").read_text()


@before
@pytest.mark.parametrize("name", [*TABLES, "checks", "claims", "table1", "table4"])
def test_the_page_shows_the_committed_table(name: str) -> None:
    assert (PAGES / f"{name}.md").read_text() in (PAGES / "README.md").read_text()


@before
@pytest.mark.parametrize("name", ["table2", "table3"])
def test_all_columns_are_of_the_same_runs(name: str) -> None:
    checks = list(check_table(name, pd.read_csv(PAGES / f"{name}.csv")))

    assert {check.rule for check in checks} == {
        "differences are those of the means",
        "intervals hold their value",
    }
    assert [check for check in checks if not check.kept] == []


@before
def test_the_checks_have_the_tables(made: Path) -> None:
    assert (made / "checks.csv").read_text() == (PAGES / "checks.csv").read_text()


@before
def test_the_values_are_those_of_the_figures() -> None:
    """What figures 1 and 3 show of single seeds is in seeds.csv, without their numbers."""
    keys = ["dataset", "model", "bits", "search", "metric", "n"]
    seeds = pd.read_csv(PAGES / "seeds.csv").groupby(keys).value.apply(sorted)
    found = 0
    for name in ("fig1", "fig3"):
        shown = pd.read_csv(PAGES / f"{name}.csv").groupby(keys).value.apply(sorted)
        for place in shown.index.intersection(seeds.index):
            assert seeds[place] == pytest.approx(shown[place], abs=1e-12)
            found += 1
    assert found == 58
