"""Write a table as CSV; print it as Markdown, as LaTeX for papers, as HTML for the report."""

import argparse
import html
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from hashgnn.files import atomic_write
from hashgnn.stage.command import Facts, run_stage, stage_parser

Mark = Literal["bold", "underlined"]


@dataclass(frozen=True)
class Cell:
    """A cell of a printed table: text, its spread in small gray type, a sign, a highlight."""

    text: str
    mark: Mark | None = None
    spread: str = ""  # such as ±0.01
    sign: str = ""  # refers to a line of the legend

    def __str__(self) -> str:
        return f"{self.text}{self.sign} {self.spread}".rstrip()


@dataclass(frozen=True)
class Printed:
    """A table as it is printed.

    Attributes:
        rows: Text or ``Cell``.
        caption: One paragraph above the table.
        heading: Column whose values become rows above those that share them.
        legend: Lines below the table.
    """

    rows: pd.DataFrame
    caption: str = ""
    heading: str | None = None
    legend: Sequence[str] = ()

    @property
    def columns(self) -> list[str]:
        """The titles of the columns."""
        return [str(column) for column in self.rows.columns if column != self.heading]

    def blocks(self) -> list[tuple[str, list[list[Cell]]]]:
        """Return the rows below each heading, in order; one block, without title, if none."""
        groups = [("", self.rows)]
        if self.heading is not None:
            groups = [(str(t), g) for t, g in self.rows.groupby(self.heading, sort=False)]
        return [
            (
                title,
                [
                    [cell if isinstance(cell, Cell) else Cell(str(cell)) for cell in row]
                    for row in group[self.columns].to_numpy().tolist()
                ],
            )
            for title, group in groups
        ]

    def are_numbers(self) -> list[bool]:
        """Return for each column whether it has numbers, which are right-aligned."""
        columns = zip(*(row for _, rows in self.blocks() for row in rows), strict=True)
        found = [_are_numbers([cell.text for cell in column]) for column in columns]
        return [False, *found[1:]] if found else [False] * len(self.columns)

    def signs(self) -> list[str]:
        """Return for each column the longest sign: cells without one leave room for it."""
        columns = zip(*(row for _, rows in self.blocks() for row in rows), strict=True)
        found = [max((cell.sign for cell in column), key=len) for column in columns]
        return found or [""] * len(self.columns)


_NUMBER = re.compile(r"[-+±<>~*≈ ]*[\d.]")
_NONE = ("", "-")


def _are_numbers(texts: Sequence[str]) -> bool:
    shown = [text for text in texts if text not in _NONE]
    return bool(shown) and all(map(_NUMBER.match, shown))


# Markup to Markdown; an underscore inside a word, a lone < or a lone & is not.
_MARKUP = re.compile(r"[\\`*~$|]|(?<!\w)_|_(?!\w)|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\](?=[(\[])")
_MARKDOWN = {"bold": "**{}**", "underlined": "<ins>{}</ins>", None: "{}"}


def to_markdown(table: pd.DataFrame | Printed) -> str:
    """Return a Markdown table, numbers right-aligned; below it the legend.

    Cells and headings are escaped, so that names are shown as they are: ``DataFrame.to_markdown``
    and tabulate escape nothing.
    """
    printed = table if isinstance(table, Printed) else Printed(table)
    rows = [list(map(_markdown_text, printed.columns))]
    for title, cells in printed.blocks():
        if title:
            rows.append([f"**{_markdown_text(title)}**", *[""] * (len(printed.columns) - 1)])
        rows += [list(map(_markdown_cell, row)) for row in cells]
    # The rule needs three characters.
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    right = printed.are_numbers()
    pads: list[Callable[[str, int], str]] = [str.rjust if r else str.ljust for r in right]
    lines = [
        "| " + " | ".join(p(c, w) for p, c, w in zip(pads, row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = [
        "-" * (w - 1) + ":" if r else ":" + "-" * (w - 1)
        for r, w in zip(right, widths, strict=True)
    ]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    above = [_paragraph(printed.caption), ""] if printed.caption else []
    below = [part for line in printed.legend for part in ("", _paragraph(line))]
    return "\n".join([*above, *lines, *below]) + "\n"


def _paragraph(text: str) -> str:
    return textwrap.fill(_markdown_text(text), 100, break_long_words=False, break_on_hyphens=False)


def _markdown_text(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", text)


def _markdown_cell(cell: Cell) -> str:
    spread = f" <sub>{_markdown_text(cell.spread)}</sub>" if cell.spread else ""
    marked = _MARKDOWN[cell.mark].format(_markdown_text(cell.text))
    return f"{marked}{_markdown_text(cell.sign)}{spread}"


# By character, as LaTeX's text fonts show them.
_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "`": r"\textasciigrave{}",
    **{character: f"${character}$" for character in "<>|"},
    "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "λ": r"$\lambda$",
    "†": r"$^\dagger$",
    "‡": r"$^\ddagger$",
}
_LATEX_TABLE = str.maketrans(_LATEX)
_LATEX_MARK = {"bold": r"\textbf{{{}}}", "underlined": r"\underline{{{}}}", None: "{}"}
_SIZES = (r"\small\setlength{\tabcolsep}{3pt}%", r"\scriptsize\setlength{\tabcolsep}{1.5pt}%")
_BREAK = 10  # characters of a title that may take two lines
_LATEX_HEAD = r"""% Needs \usepackage{booktabs,xcolor}.
\providecommand{\spread}[1]{{\tiny\textcolor{gray}{#1}}}"""


def to_latex(table: pd.DataFrame | Printed, label: str = "") -> str:
    """Return a LaTeX ``table*`` as wide as the page, with booktabs rules; all text is escaped."""
    printed = table if isinstance(table, Printed) else Printed(table)
    columns = "".join("r" if right else "l" for right in printed.are_numbers())
    signs = printed.signs()
    lines = [
        *(_LATEX_HEAD, r"\begin{table*}", r"\centering"),
        *(
            [rf"\caption{{{_latex(printed.caption)}}}\par\addvspace{{3pt}}"]
            if printed.caption
            else []
        ),
        *([rf"\label{{tab:{label}}}"] if label else []),
        _SIZES[len(columns) > 7],
        rf"\begin{{tabular*}}{{\textwidth}}{{@{{\extracolsep{{\fill}}}}{columns}@{{}}}}",
        r"\toprule",
        " & ".join(map(_latex_title, columns, printed.columns)) + r" \\",
    ]
    for title, rows in printed.blocks():
        lines.append(r"\midrule")
        if title:
            span = rf"\multicolumn{{{len(columns)}}}{{@{{}}l}}{{\textit{{{_latex(title)}}}}} \\"
            lines += [span, r"\addlinespace[2pt]"]
        lines += [" & ".join(map(_latex_cell, row, signs)) + r" \\" for row in rows]
    lines += [r"\bottomrule", r"\end{tabular*}"]
    lines += [rf"\par\smallskip\raggedright\footnotesize {_latex(line)}" for line in printed.legend]
    return "\n".join([*lines, r"\end{table*}"]) + "\n"


def _latex(text: str) -> str:
    return text.translate(_LATEX_TABLE)


def _latex_title(alignment: str, title: str) -> str:
    """Return the title of a column; a long one is broken at its last space."""
    first, _, last = title.rpartition(" ")
    if not first or len(title) < _BREAK:
        return _latex(title)
    return rf"\shortstack[{alignment}]{{{_latex(first)}\\{_latex(last)}}}"


def _latex_cell(cell: Cell, widest: str) -> str:
    spread = rf"\,\spread{{{_latex(cell.spread)}}}" if cell.spread else ""
    room = rf"\phantom{{{_latex(widest)}}}" if widest and cell.text not in _NONE else ""
    sign = _latex(cell.sign) or room
    return f"{_LATEX_MARK[cell.mark].format(_latex(cell.text))}{sign}{spread}"


_HTML_MARK = {"bold": "<b>{}</b>", "underlined": "<u>{}</u>", None: "{}"}
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #6b6b6b; --page: #fff; }
@media (prefers-color-scheme: dark) { :root { --soft: #a5a5a5; --page: #16181d; } }
body { margin: 1rem; font: 15px/1.45 system-ui, sans-serif; background: var(--page); }
div { overflow-x: auto; background:
  linear-gradient(to left, var(--page) 40%, transparent) right / 2.5rem 100% no-repeat local,
  linear-gradient(to left, var(--line), transparent) right / .9rem 100% no-repeat; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { caption-side: top; text-align: left; padding-bottom: .6rem; max-width: 60rem; }
th, td { padding: .15rem .8rem; text-align: left; vertical-align: top; }
.number { text-align: right; white-space: nowrap; }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--page); }
thead { border-top: 2px solid; border-bottom: 1px solid; }
tbody { border-bottom: 1px solid var(--line); }
tbody:last-child { border-bottom: 2px solid; }
tbody th { font-style: italic; font-weight: normal; padding-top: .5rem; }
small, p { color: var(--soft); }
td i { visibility: hidden; font-style: normal; }
"""


def to_html(table: pd.DataFrame | Printed, title: str = "") -> str:
    """Return a page with the table; it scrolls sideways below a fixed first column."""
    printed = table if isinstance(table, Printed) else Printed(table)
    kinds = [' class="number"' if right else "" for right in printed.are_numbers()]
    columns = _html_row("th", kinds, map(html.escape, printed.columns))
    signs = printed.signs()
    bodies = []
    for heading, rows in printed.blocks():
        lines = [f'<tr><th colspan="{len(kinds)}">{html.escape(heading)}</th></tr>'] * bool(heading)
        lines += [_html_row("td", kinds, map(_html_cell, row, signs)) for row in rows]
        bodies.append("<tbody>\n" + "\n".join(lines) + "\n</tbody>")
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(title)}</title><style>{_STYLE}</style>",
            f"<div><table><caption>{html.escape(printed.caption)}</caption>",
            f"<thead>{columns}</thead>",
            *bodies,
            "</table></div>",
            *(f"<p>{html.escape(line)}</p>" for line in printed.legend),
            "</html>\n",
        ]
    )


def _html_row(tag: str, kinds: Sequence[str], cells: Iterable[str]) -> str:
    made = [f"<{tag}{kind}>{cell}</{tag}>" for kind, cell in zip(kinds, cells, strict=True)]
    return f"<tr>{''.join(made)}</tr>"


def _html_cell(cell: Cell, widest: str) -> str:
    spread = f" <small>{html.escape(cell.spread)}</small>" if cell.spread else ""
    room = f"<i>{html.escape(widest)}</i>" if widest and cell.text not in _NONE else ""
    sign = html.escape(cell.sign) or room
    return f"{_HTML_MARK[cell.mark].format(html.escape(cell.text))}{sign}{spread}"


Make = Callable[[argparse.Namespace], tuple[pd.DataFrame, pd.DataFrame | Printed]]


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
