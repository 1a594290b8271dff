"""The pages of the reproduction, and the first pages of the project, show the committed results."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from hashgnn.reporting.entries import PAGES as SUBPAGES

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs/reproduction"
BEGIN, END = "<!-- results: make pages -->\n", "<!-- end of results -->"
PUBLISH = runpy.run_path(str(PAGES / "publish.py"))


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


@pytest.mark.parametrize("page", ["README", *SUBPAGES])
def test_every_number_of_a_page_is_in_a_file(page: str) -> None:
    assert unheld((PAGES / f"{page}.md").read_text(encoding="utf-8"), held(PAGES)) == []


@pytest.mark.parametrize(("page", "folder"), [("README.md", "docs/"), ("docs/README.md", "")])
def test_the_first_pages_show_the_headline(page: str, folder: str) -> None:
    rates = pd.read_csv(PAGES / "headline.csv")["mean"]

    text = generated(page)

    shown = re.findall(r"\| +(?:\*\*)?(0\.\d{3})", text)
    assert sorted(shown) == sorted(f"{rate:.3f}" for rate in rates)
    assert f"({folder}reproduction/fig" in text


def test_a_first_page_is_filled_between_its_marks() -> None:
    page = f"before\n{BEGIN}\nold 0.1\n\n{END}\nafter\n"
    headline = "![F](fig3.svg)\n\n| 0.2 |\n"

    filled = PUBLISH["filled"](page, headline, "docs/reproduction/")

    new = f"{BEGIN}\n![F](docs/reproduction/fig3.svg)\n\n| 0.2 |\n\n{END}"
    assert filled == f"before\n{new}\nafter\n"
    assert PUBLISH["filled"](filled, headline, "docs/reproduction/") == filled


# What make pages does not write in docs/reproduction.
GIVEN = ("records/", "publish.py", "fill_quantization.py", "anchors", "tuning-", "tuning.csv")


@pytest.mark.slow
def test_the_pages_are_what_make_pages_makes_of_the_records(tmp_path: Path) -> None:
    """A clone without data and results writes the committed files, byte for byte."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = [os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    folder = "docs/reproduction/"
    for name in names:
        if not name.startswith(folder) or name.removeprefix(folder).startswith(GIVEN):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])

    subprocess.run(
        ["make", "--old-file", ".venv/.installed", "pages", "CORES=1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=True,
    )

    made = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / folder).iterdir()}
    assert made - {f"{folder}records"} == {n for n in names if Path(n).parent == Path(folder)}
    others = [n for n in names if (tmp_path / n).read_bytes() != (ROOT / n).read_bytes()]
    assert others == []
