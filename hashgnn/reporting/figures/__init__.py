"""Draw panels of curves in one style, and run a figure's command line: PDF, SVG and CSV."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from hashgnn.config.methods import Look
from hashgnn.evaluation.statistics import t_interval
from hashgnn.files import atomic_write
from hashgnn.reporting.figures.style import (
    artist_label,
    line_style,
    name_curves,
    panels,
    save_figure,
    seeds_note,
    use_style,
)
from hashgnn.stage.command import Facts, run_stage, stage_parser

Draw = Callable[[Axes, pd.DataFrame], None]
Make = Callable[[argparse.Namespace], tuple[Figure, pd.DataFrame]]

# Of the method that a figure is about: it lies on top, in a bolder line.
FOREMOST = {"zorder": 4, "linewidth": 1.7}


def draw_grid(
    numbers: pd.DataFrame,
    columns: Sequence[tuple[str, pd.DataFrame]],
    title: str,
    draw: Draw,
    interval: str = "band",
) -> Figure:
    """Draw a grid of panels: one column per entry of ``columns``, one row per code length.

    Args:
        numbers: All values shown, one row per seed.
        columns: Title and rows of ``numbers`` of each column of panels.
        title: Label of the vertical axes.
        draw: Draws one panel from its rows.
        interval: What shows the interval over seeds, for the note below the figure.
    """
    lengths = code_lengths(numbers)
    figure, axes = panels(len(columns), len(lengths))
    places = [(bits, name, rows) for bits in lengths for name, rows in columns]
    for panel, (bits, name, rows) in zip(axes, places, strict=True):
        draw(panel, rows[rows.bits == bits])
        panel.set_title(panel_title(name, bits, lengths))
    label_rows(axes, len(columns), title)
    name_curves(figure, seeds_note(numbers, interval))
    return figure


def by_dataset(
    numbers: pd.DataFrame, datasets: Mapping[str, str]
) -> list[tuple[str, pd.DataFrame]]:
    """Return the name and the rows of each of ``datasets`` (id to name)."""
    return [(name, numbers[numbers.dataset == dataset]) for dataset, name in datasets.items()]


def code_lengths(frame: pd.DataFrame) -> list[int]:
    """Return the code lengths in the column ``bits``, ascending."""
    return sorted(frame["bits"].unique().tolist())


def panel_title(name: str, bits: int, lengths: Sequence[int]) -> str:
    """Return a panel's title, with the code length where there are several."""
    return name if len(lengths) == 1 else f"{name}, {bits} bits"


def label_rows(axes: Sequence[Axes], columns: int, title: str) -> None:
    """Label the vertical axis of the first visible panel of each row."""
    for start in range(0, len(axes), columns):
        shown = [panel for panel in axes[start : start + columns] if panel.get_visible()]
        if shown:
            shown[0].set_ylabel(title)


def draw_curve(
    panel: Axes, rows: pd.DataFrame, x: str, look: Look, name: str, **style: Any
) -> None:
    """Draw the mean of ``value`` over seeds against column ``x``, with its 95 % t interval."""
    sns.lineplot(
        rows,
        x=x,
        y="value",
        errorbar=t_interval,
        err_kws={"linewidth": 0},
        label=artist_label(name),
        legend=False,
        ax=panel,
        **{**line_style(look), **style},
    )
    panel.set(xlabel="", ylabel="")


def tick_values(axis: Axis, places: Sequence[float], values: Sequence[Any]) -> None:
    """Label ``places`` with ``values``; if all do not fit, every second or third up to the last."""
    step = -(-len(places) // 8)
    first = (len(places) - 1) % step
    labels = [f"{v:g}" if isinstance(v, int | float) else str(v) for v in values]
    axis.set_ticks(places[first::step], labels[first::step])


def run_figure(description: str | None, make: Make, argv: Sequence[str] | None = None) -> int:
    """Run the command line of a figure and return its exit status.

    Args:
        description: Help text of the command.
        make: Returns the figure and the numbers that it shows, from the parsed arguments.
        argv: Arguments; those of the process by default.
    """
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
