"""Write a table in three formats: CSV for machines, Markdown to read, LaTeX for papers."""

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
Make = Callable[[argparse.Namespace], tuple[pd.DataFrame, pd.DataFrame]]


@dataclass(frozen=True)
class Marked:
    """A highlighted cell."""

    text: str
    mark: Mark

    def __str__(self) -> str:
        return self.text


_MARKDOWN = {"bold": "**{}**", "underlined": "_{}_"}
_LATEX = {"bold": "textbf", "underlined": "underline"}

# Markup to Markdown; an underscore inside a word, a lone < or a lone & is not.
_MARKUP = re.compile(r"[\\`*~$|]|(?<!\w)_|_(?!\w)|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\](?=[(\[])")

# Not escaped by pandas, though LaTeX's text fonts show other characters for them.
_FORMULAS = {"±": r"$\pm$", "<": "$<$", ">": "$>$", "|": "$|$", "`": r"\textasciigrave{}"}


def run_table(description: str | None, make: Make, argv: Sequence[str] | None = None) -> int:
    """Run the command line of a table and return its exit status.

    The numbers go to the CSV; the printed form goes to Markdown (and to standard output) and to
    LaTeX (booktabs).

    Args:
        description: Help text of the command.
        make: Returns the numbers and their printed form, all text, from the parsed arguments.
        argv: Arguments; those of the process by default.
    """
    parser = stage_parser(description)
    parser.add_argument("inputs", type=Path, nargs="+")
    for kind in ("csv", "md", "tex"):
        parser.add_argument(f"--{kind}", type=Path, required=True)

    def stage(args: argparse.Namespace) -> Facts:
        numbers, printed = make(args)
        write_text(args.csv, numbers.to_csv(index=False))
        write_text(args.md, to_markdown(printed))
        write_text(args.tex, to_latex(printed))
        print(to_markdown(printed), end="")
        return {}

    return run_stage(parser, stage, argv)


def to_markdown(table: pd.DataFrame) -> str:
    """Return a Markdown table, the first column left-aligned, the others right-aligned.

    Cells and headings are escaped, so that names are shown as they are: ``DataFrame.to_markdown``
    and tabulate escape nothing.
    """
    cells = [[_markdown_cell(cell) for cell in row] for row in table.to_numpy().tolist()]
    rows = [list(map(_markdown_cell, table.columns)), *cells]
    # The rule needs three characters.
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(_pad(row, widths)) + " |" for row in rows]
    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines) + "\n"


def to_latex(table: pd.DataFrame) -> str:
    """Return a LaTeX tabular with booktabs rules, cells and headings escaped."""
    table = table.reset_index(drop=True)
    style = table.map(str).style.hide(axis="index")
    style = style.format(escape="latex").format_index(escape="latex", axis="columns")
    style = style.apply(lambda _: table.map(_latex_command), axis=None)
    columns = "l" + "r" * (table.shape[1] - 1)
    made = style.to_latex(hrules=True, column_format=columns)
    for character, formula in _FORMULAS.items():
        made = made.replace(character, formula)
    return made


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _markdown_cell(cell: object) -> str:
    text = _MARKUP.sub(r"\\\g<0>", str(cell))
    return _MARKDOWN[cell.mark].format(text) if isinstance(cell, Marked) else text


def _latex_command(cell: object) -> str:
    """Return pandas' name of the command that a marked cell is wrapped in."""
    return f"{_LATEX[cell.mark]}:--rwrap;" if isinstance(cell, Marked) else ""


def _pad(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(row, widths, strict=True)
    return [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
