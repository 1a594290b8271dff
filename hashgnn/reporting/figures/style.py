"""The look of all figures, and their command line: PDF, SVG and the numbers as CSV."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from hashgnn.files import atomic_write
from hashgnn.stage.command import Facts, run_stage, stage_parser

COLUMN = 3.35  # inches: one column of a two-column page
PAGE = 7.0  # inches: both


class Look(NamedTuple):
    """How a method is drawn, wherever it appears."""

    color: str
    marker: str


# Okabe and Ito (2008); a method keeps its color and marker in every figure.
_LOOKS = {
    "hashgnn": Look("#D55E00", "o"),
    "hashgnn_nr": Look("#E69F00", "s"),
    "hashgnn_sp": Look("#CC79A7", "D"),
    "hash_ste": Look("#0072B2", "^"),
    "hash_gumb": Look("#56B4E9", "v"),
    "hashnet": Look("#009E73", "P"),
    "lsh": Look("#7F7F7F", "X"),
    "graphsage": Look("#000000", "*"),
    "hashgnn_plus": Look("#332288", "h"),
}
_OTHERS = ("h", "p", "<", ">", "d", "8")


def look(model: str) -> Look:
    """Color and marker of a method; one the paper does not have gets one from its name."""
    if model in _LOOKS:
        return _LOOKS[model]
    number = sum(map(ord, model))
    return Look(mpl.colormaps["Dark2"](number % 8), _OTHERS[number % len(_OTHERS)])  # type: ignore[arg-type]


def use_style() -> None:
    """Set matplotlib up: sizes for print, fonts kept as text, the same bytes each time.

    Whatever a ``matplotlibrc`` of the user or of the working directory says does not count, and
    names are shown as they are: ``$`` begins no formula.
    """
    mpl.use("Agg")
    mpl.rcdefaults()
    mpl.rcParams.update(
        {
            "font.family": "sans-serif",
            "font.size": 8,
            "axes.titlesize": 8.5,
            "axes.labelsize": 8,
            "axes.linewidth": 0.6,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#DDDDDD",
            "grid.linewidth": 0.5,
            "xtick.labelsize": 7.5,
            "ytick.labelsize": 7.5,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "lines.linewidth": 1.2,
            "lines.markersize": 4.0,
            "legend.fontsize": 7.5,
            "legend.title_fontsize": 7.5,
            "legend.frameon": False,
            "pdf.fonttype": 42,
            "svg.fonttype": "none",
            "svg.hashsalt": "hashgnn",
            "text.parse_math": False,
        }
    )


def save_figure(figure: Figure, pdf: Path, svg: Path) -> None:
    """Write ``figure`` as PDF and SVG, without dates, so that equal data give equal files."""
    for path, dated in ((pdf, "CreationDate"), (svg, "Date")):
        with atomic_write(path) as temporary:
            figure.savefig(temporary, bbox_inches="tight", metadata={dated: None})


def run_figure(
    description: str | None,
    make: Callable[[argparse.Namespace], tuple[Figure, pd.DataFrame]],
    argv: Sequence[str] | None = None,
) -> int:
    """The command line of a figure: ``make`` returns it and the numbers that it shows."""
    parser = stage_parser(description)
    parser.add_argument("inputs", type=Path, nargs="+")
    for kind in ("pdf", "svg", "csv"):
        parser.add_argument(f"--{kind}", type=Path, required=True)

    def stage(args: argparse.Namespace) -> Facts:
        use_style()
        figure, numbers = make(args)
        save_figure(figure, args.pdf, args.svg)
        with atomic_write(args.csv) as temporary:
            numbers.to_csv(temporary, index=False)
        return {}

    return run_stage(parser, stage, argv)
