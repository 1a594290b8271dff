"""One table, three formats: CSV for machines, Markdown for reading, LaTeX for papers."""

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from hashgnn.files import atomic_write
from hashgnn.stage.command import Facts, run_stage, stage_parser

Mark = Literal["bold", "underlined"]


@dataclass(frozen=True)
class Marked:
    """A cell that stands out."""

    text: str
    mark: Mark

    def __str__(self) -> str:
        return self.text


_MARKDOWN = {"bold": "**{}**", "underlined": "_{}_"}
_LATEX = {"bold": "textbf", "underlined": "underline"}

# What Markdown takes for markup: an underscore inside a word, a lone < or & it does not.
_MARKUP = re.compile(r"[\\`*~$|]|(?<!\w)_|_(?!\w)|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\](?=[(\[])")

# What pandas leaves alone, though LaTeX's text fonts have other characters in these places.
_FORMULAS = {"±": r"$\pm$", "<": "$<$", ">": "$>$", "|": "$|$", "`": r"\textasciigrave{}"}


def run_table(
    description: str | None,
    make: Callable[[argparse.Namespace], tuple[pd.DataFrame, pd.DataFrame]],
    argv: Sequence[str] | None = None,
) -> int:
    """The command line of a table: ``make`` returns its numbers and its printed form.

    The numbers go to the CSV; the printed form, all text, to Markdown (and to the terminal) and
    to LaTeX (booktabs).
    """
    parser = stage_parser(description)
    parser.add_argument("inputs", type=Path, nargs="+")
    for kind in ("csv", "md", "tex"):
        parser.add_argument(f"--{kind}", type=Path, required=True)

    def stage(args: argparse.Namespace) -> Facts:
        numbers, printed = make(args)
        _write(args.csv, numbers.to_csv(index=False))
        _write(args.md, to_markdown(printed))
        _write(args.tex, to_latex(printed))
        print(to_markdown(printed), end="")
        return {}

    return run_stage(parser, stage, argv)


def to_markdown(table: pd.DataFrame) -> str:
    """A Markdown table, first column to the left, the others to the right.

    Texts are shown as they are: what would be markup is escaped.
    """
    cells = [[_markdown_cell(cell) for cell in row] for row in table.to_numpy().tolist()]
    rows = [list(map(_markdown_cell, table.columns)), *cells]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(_pad(row, widths)) + " |" for row in rows]
    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines) + "\n"


def to_latex(table: pd.DataFrame) -> str:
    """A LaTeX tabular with booktabs rules; texts are shown as they are."""
    table = table.reset_index(drop=True)
    style = table.map(str).style.hide(axis="index")
    style = style.format(escape="latex").format_index(escape="latex", axis="columns")
    style = style.apply(lambda _: table.map(_latex_command), axis=None)
    columns = "l" + "r" * (table.shape[1] - 1)
    made = style.to_latex(hrules=True, column_format=columns)
    for character, formula in _FORMULAS.items():
        made = made.replace(character, formula)
    return made


def _markdown_cell(cell: object) -> str:
    text = _MARKUP.sub(r"\\\g<0>", str(cell))
    return _MARKDOWN[cell.mark].format(text) if isinstance(cell, Marked) else text


def _latex_command(cell: object) -> str:
    """As pandas styles name it."""
    return f"{_LATEX[cell.mark]}:--rwrap;" if isinstance(cell, Marked) else ""


def _pad(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(row, widths, strict=True)
    return [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


CUTOFFS = (50, 100)
METRICS = {"hr": "HR", "ndcg": "NDCG"}

_MARKS: dict[int, Mark] = {1: "bold", 2: "underlined"}


def select(frame: pd.DataFrame, continuous: Sequence[str]) -> pd.DataFrame:
    """Hierarchical search, but continuous search for the methods named in ``continuous``."""
    own_search = frame.model.isin(continuous).map({True: "continuous", False: "hierarchical"})
    shown = (frame.search == own_search) & frame.metric.isin(METRICS) & frame.n.isin(CUTOFFS)
    return frame[shown]


def place(means: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Place of each row of ``means`` among those with the same ``keys``; the highest mean is 1."""
    return means.groupby(keys)["mean"].rank(ascending=False, method="first")


def marked(chosen: pd.DataFrame) -> pd.Series:
    """A cell for each row of ``chosen`` (mean, low, high, place), by model and bits.

    The best is bold, the second underlined.
    """
    chosen = chosen.set_index(["model", "bits"])
    cells = [_cell(*row) for row in zip(chosen["mean"], chosen["low"], chosen["high"], strict=True)]
    made = [
        Marked(cell, _MARKS[int(number)]) if number in _MARKS else cell
        for number, cell in zip(chosen["place"], cells, strict=True)
    ]
    return pd.Series(made, index=chosen.index, dtype=object)


def _cell(mean: float, low: float, high: float) -> str:
    """The mean, with its 95 % interval where there are several seeds."""
    return f"{mean:.4f}" if pd.isna(low) else f"{mean:.4f} [{low:.4f}, {high:.4f}]"
