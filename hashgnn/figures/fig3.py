"""Figure 3: recall by Hamming search against the number of items shown."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hashgnn.figures.style import COLUMN, PAGE, look, save_figure, use_style
from hashgnn.files import atomic_write
from hashgnn.metrics.tidy import over_seeds, read_metrics
from hashgnn.stage import Facts, run_stage, stage_parser

REFERENCE = "graphsage"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument("--metrics", type=Path, nargs="+", required=True)
    parser.add_argument("--pdf", type=Path, required=True)
    parser.add_argument("--svg", type=Path, required=True)
    parser.add_argument("--csv", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    frame = _select(read_metrics(args.metrics))
    figure = draw(frame, dict(args.settings["datasets"]), dict(args.settings["models"]))
    save_figure(figure, args.pdf, args.svg)
    with atomic_write(args.csv) as temporary:
        frame.to_csv(temporary, index=False)
    return {}


def _select(frame: pd.DataFrame) -> pd.DataFrame:
    """HR by Hamming search, and by continuous search for the reference."""
    shown = (frame.search == "hamming") | (
        (frame.search == "continuous") & (frame.model == REFERENCE)
    )
    return frame[shown & (frame.metric == "hr")].sort_values(
        ["dataset", "model", "bits", "search", "n", "seed"], ignore_index=True
    )


def draw(frame: pd.DataFrame, datasets: Mapping[str, str], models: Mapping[str, str]) -> Figure:
    """A panel a data set, a line a method; ``datasets`` and ``models`` map ids to names."""
    use_style()
    width = min(PAGE, max(COLUMN, PAGE / 3 * len(datasets)))
    figure, axes = plt.subplots(
        1, len(datasets), figsize=(width, 2.25), squeeze=False, layout="constrained"
    )
    summary = over_seeds(frame)
    for panel, (dataset, name) in zip(axes[0], datasets.items(), strict=True):
        _draw_panel(panel, summary[summary.dataset == dataset], models)
        panel.set_title(name)
        panel.set_xlabel("number of items n")
    axes[0, 0].set_ylabel("HR@n, Hamming search")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    columns = len(labels) if width == PAGE else 2
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, title=_title(summary))
    return figure


def _title(summary: pd.DataFrame) -> str | None:
    """What the bands are; nothing where there is but one seed."""
    seeds = summary.seeds.max()
    return f"mean and range of {seeds} seeds" if seeds > 1 else None


def _draw_panel(panel: Axes, summary: pd.DataFrame, models: Mapping[str, str]) -> None:
    for model, name in models.items():
        rows = summary[(summary.model == model) & (summary.search == "hamming")]
        color, marker = look(model)
        label = f"{name} (sign)" if model == REFERENCE else name
        panel.plot(rows.n, rows["mean"], color=color, marker=marker, label=label)
        panel.fill_between(rows.n, rows["min"], rows["max"], color=color, alpha=0.2, linewidth=0)
    reference = summary[summary.search == "continuous"]
    if len(reference):
        label = f"{models[REFERENCE]} (continuous)"
        panel.plot(reference.n, reference["mean"], "--", color="#777777", label=label)
    panel.set_xticks(sorted(summary.n.unique()))
    panel.set_ylim(bottom=0)


if __name__ == "__main__":
    sys.exit(main())
