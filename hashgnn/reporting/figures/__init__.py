"""Draw panels of curves in one style, and run a figure's command line: PDF, SVG and CSV."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from hashgnn.evaluation.statistics import t_interval
from hashgnn.files import atomic_write
from hashgnn.stage.command import Facts, run_stage, stage_parser

# Inches: one column of a two-column page, both, a panel, a row of the legend.
COLUMN, PAGE, HEIGHT, LEGEND_ROW = 3.35, 7.0, 2.0, 0.16

# On top of seaborn's "paper" context and its "whitegrid" style.
_PRINT = {
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.title_fontsize": 7.5,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#333333",
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "pdf.fonttype": 42,  # fonts stay fonts
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "hashgnn",  # equal data give equal files
    "text.parse_math": False,  # "$" begins no formula in a name
}

Draw = Callable[[Axes, pd.DataFrame], None]
Make = Callable[[argparse.Namespace], tuple[Figure, pd.DataFrame]]


class Look(NamedTuple):
    """The color and the matplotlib marker of a method, in all figures."""

    color: str
    marker: str


def look(settings: Mapping[str, Any], model: str) -> Look:
    """Return the look that the config gives to a method (settings key ``looks``)."""
    return Look(*settings["looks"][model])


def use_style() -> None:
    """Set the theme of all figures; a ``matplotlibrc`` of the user has no effect."""
    mpl.use("Agg")
    mpl.rcdefaults()
    sns.set_theme(context="paper", style="whitegrid", rc=_PRINT)


def panels(columns: int, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure and its panels, row by row: column width for one panel, else page width."""
    width = COLUMN if columns == 1 else PAGE
    # Not made by pyplot, which would keep every figure in memory.
    figure = Figure(figsize=(width, rows * HEIGHT), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def draw_grid(
    numbers: pd.DataFrame, columns: Sequence[tuple[str, pd.DataFrame]], title: str, draw: Draw
) -> Figure:
    """Draw a grid of panels: one column per entry of ``columns``, one row per code length.

    Args:
        numbers: All values shown, one row per seed.
        columns: Title and rows of ``numbers`` of each column of panels.
        title: Label of the vertical axes.
        draw: Draws one panel from its rows.
    """
    lengths = code_lengths(numbers)
    figure, axes = panels(len(columns), len(lengths))
    places = [(bits, name, rows) for bits in lengths for name, rows in columns]
    for panel, (bits, name, rows) in zip(axes, places, strict=True):
        draw(panel, rows[rows.bits == bits])
        panel.set_title(panel_title(name, bits, lengths))
    label_rows(axes, len(columns), title)
    draw_legend(figure, numbers)
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
    style = {"color": look.color, "marker": look.marker, "markeredgewidth": 0.4, **style}
    sns.lineplot(
        rows,
        x=x,
        y="value",
        errorbar=t_interval,
        err_kws={"linewidth": 0},
        label=legend_label(name),
        legend=False,
        ax=panel,
        **style,
    )
    panel.set(xlabel="", ylabel="")


def legend_label(name: str) -> str:
    """Return the label of an artist: matplotlib leaves out labels that begin with ``_``."""
    return f"={name}"


def draw_legend(figure: Figure, numbers: pd.DataFrame) -> None:
    """Draw one legend above all panels; its title says what the intervals are."""
    place_legend(figure, seeds_note(numbers))


def place_legend(figure: Figure, title: str) -> None:
    """Draw one legend above all panels, with a row for its title if it has one."""
    labels: dict[str, Any] = {}
    for panel in figure.axes:
        handles, names = panel.get_legend_handles_labels()
        labels |= {name[1:]: handle for name, handle in zip(names, handles, strict=True)}
    longest = max(map(len, labels), default=0)
    inches = 0.35 + 0.055 * longest  # width of the longest label with its line
    columns = min(max(1, int(figure.get_figwidth() / inches)), max(1, len(labels)))
    spec = figure.axes[0].get_subplotspec()
    assert spec is not None  # the panel is one of ``panels``
    height = spec.get_gridspec().nrows * HEIGHT
    figure.set_figheight(height + LEGEND_ROW * (1 + -(-len(labels) // columns)))
    figure.legend(
        labels.values(),
        labels.keys(),
        loc="outside upper center",
        ncols=columns,
        title=title or None,
    )


def seeds_note(numbers: pd.DataFrame) -> str:
    """Return the note of the legend: the number of seeds and the kind of interval."""
    seeds = numbers.groupby(["dataset", "model", "bits"])["seed"].nunique()
    least, most = seeds.min(), seeds.max()
    if most == 1:
        return "one seed (n = 1)"
    number = f"n = {most}" if least == most else f"n = {least} to {most}"
    return f"mean over seeds and its 95 % t interval ({number})"


def tick_values(axis: Axis, places: Sequence[float], values: Sequence[Any]) -> None:
    """Label ``places`` with ``values``: every second or third if all would not fit."""
    step = -(-len(places) // 8)
    labels = [f"{v:g}" if isinstance(v, int | float) else str(v) for v in values]
    axis.set_ticks(places[::step], labels[::step])


def save_figure(figure: Figure, pdf: Path, svg: Path) -> None:
    """Write a figure as PDF and SVG without dates, so that equal data give equal files."""
    for path, dated in ((pdf, "CreationDate"), (svg, "Date")):
        with atomic_write(path) as temporary:
            figure.savefig(temporary, bbox_inches="tight", metadata={dated: None})


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
