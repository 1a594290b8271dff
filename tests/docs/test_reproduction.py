"""The committed results are what the workflow's own code makes of the committed values."""

import runpy
from pathlib import Path

import pandas as pd
import pytest

from hashgnn.reporting.checks import check_table

PAGES = Path(__file__).parents[2] / "docs/reproduction"
TABLES = ("methods", "table2", "table3")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reproduction")
    runpy.run_path(str(PAGES / "remake.py"))["main"](folder)
    return folder


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_what_its_own_code_makes_of_the_values(made: Path, name: str) -> None:
    one, other = (pd.read_csv(folder / f"{name}.csv") for folder in (made, PAGES))

    pd.testing.assert_frame_equal(one, other, rtol=1e-12)
    for suffix in ("md", "tex"):
        assert (made / f"{name}.{suffix}").read_text() == (PAGES / f"{name}.{suffix}").read_text()


@pytest.mark.parametrize("name", [*TABLES, "checks", "claims", "table1", "table4"])
def test_the_page_shows_the_committed_table(name: str) -> None:
    assert (PAGES / f"{name}.md").read_text() in (PAGES / "README.md").read_text()


@pytest.mark.parametrize("name", ["table2", "table3"])
def test_all_columns_are_of_the_same_runs(name: str) -> None:
    checks = list(check_table(name, pd.read_csv(PAGES / f"{name}.csv")))

    assert {check.rule for check in checks} == {
        "differences are those of the means",
        "intervals hold their value",
    }
    assert [check for check in checks if not check.kept] == []


def test_the_checks_have_the_tables(made: Path) -> None:
    assert (made / "checks.csv").read_text() == (PAGES / "checks.csv").read_text()


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
