"""One table, three formats: CSV for machines, Markdown for reading, LaTeX for papers."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from hashgnn.files import atomic_write
from hashgnn.stage import Facts, run_stage, stage_parser


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
    """A Markdown table, first column to the left, the others to the right."""
    rows = [list(table.columns), *table.astype(str).to_numpy().tolist()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(_pad(row, widths)) + " |" for row in rows]
    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines) + "\n"


def to_latex(table: pd.DataFrame) -> str:
    """A LaTeX tabular with booktabs rules; ``**x**`` becomes bold, ``_x_`` underlined."""
    columns = "l" + "r" * (table.shape[1] - 1)
    rows = [" & ".join(map(_latex_cell, row)) + r" \\" for row in table.to_numpy().tolist()]
    header = " & ".join(map(_latex_cell, table.columns)) + r" \\"
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", header, r"\midrule", *rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _pad(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(row, widths, strict=True)
    return [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]


def _latex_cell(text: object) -> str:
    cell = str(text)
    if cell.startswith("**"):
        return rf"\textbf{{{_escape(cell.strip('*'))}}}"
    if cell.startswith("_"):
        return rf"\underline{{{_escape(cell.strip('_'))}}}"
    return _escape(cell)


def _escape(text: str) -> str:
    for special in "&%$#_":
        text = text.replace(special, "\\" + special)
    return text.replace("±", r"$\pm$").replace("<", "$<$")


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
