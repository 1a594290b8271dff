"""One figure: PDF for print, SVG for the screen, and its numbers as CSV."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from hashgnn.figures.style import save_figure, use_style
from hashgnn.files import atomic_write
from hashgnn.stage import Facts, run_stage, stage_parser


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
