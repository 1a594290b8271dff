"""Write a table as CSV for machines, and printed as Markdown, LaTeX and HTML."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd

from hashgnn.files import atomic_write
from hashgnn.reporting.tables.formats import Cell, Printed, to_html, to_latex, to_markdown
from hashgnn.stage.command import Facts, run_stage, stage_parser

Make = Callable[[argparse.Namespace], tuple[pd.DataFrame, pd.DataFrame | Printed]]

__all__ = ["Cell", "Printed", "named", "run_table", "to_latex", "to_markdown", "write_text"]


def run_table(description: str | None, make: Make, argv: Sequence[str] | None = None) -> int:
    """Run the command line of a table and return its exit status.

    The numbers go to the CSV; the printed form goes to Markdown (and to standard output), LaTeX and
    HTML.

    Args:
        description: Help text of the command.
        make: Returns the numbers and their printed form, all text, from the parsed arguments.
        argv: Arguments; those of the process by default.
    """
    parser = stage_parser(description)
    parser.add_argument("inputs", type=Path, nargs="+")
    for kind in ("csv", "md", "tex", "html"):
        parser.add_argument(f"--{kind}", type=Path, required=True)

    def stage(args: argparse.Namespace) -> Facts:
        numbers, printed = make(args)
        name = args.csv.stem
        write_text(args.csv, numbers.to_csv(index=False))
        write_text(args.md, to_markdown(printed))
        write_text(args.tex, to_latex(printed, name))
        write_text(args.html, to_html(printed, name))
        print(to_markdown(printed), end="")
        return {}

    return run_stage(parser, stage, argv)


def named(names: Iterable[str]) -> str:
    """Return names as in a sentence: ``A, B and C``."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
