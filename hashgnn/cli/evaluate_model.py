"""``hashgnn evaluate``: a method beside popularity and ALS, on held-out interactions."""

import json
from pathlib import Path
from typing import Any

import click

from hashgnn.cli.streams import open_output
from hashgnn.cli.train_model import (
    TABLES,
    errors_in_terms_of_options,
    read_tables,
    table_options,
    training_options,
)
from hashgnn.errors import InputError

_DEFAULT_SHARE = 0.2


@click.command()
@TABLES
@table_options
@click.option("--time", metavar="COLUMN", help="Time column, for --test-days.")
@click.option(
    "--time-unit",
    type=click.Choice(["seconds", "milliseconds", "iso"]),
    help="Unit of the time column. [default: seconds]",
)
@click.option(
    "--test-days",
    type=click.FloatRange(0, min_open=True),
    help="Test the interactions of the last so many days, train on the earlier ones.",
)
@click.option(
    "--test",
    "share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Without --test-days: test this share of each user's interactions, the latest ones if "
    f"--time is given, else random ones. [default: {_DEFAULT_SHARE}]",
)
@training_options
@click.option(
    "--number",
    "-n",
    "cutoffs",
    multiple=True,
    default=(10, 50),
    show_default=True,
    type=click.IntRange(1),
    help="Length of the lists; may be repeated.",
)
@click.option(
    "--format",
    "layout",
    default="markdown",
    show_default=True,
    type=click.Choice(["markdown", "csv", "json"]),
)
@click.option(
    "--output",
    default="-",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="File to write to. [default: standard output]",
)
def evaluate(tables: tuple[Path, ...], layout: str, output: str, **options: Any) -> None:
    """Measure a method, popularity and ALS on held-out interactions of one or more TABLEs.

    Trains each on the rest. Recall, hit rate, precision, NDCG, MRR and MAP are means over the
    tested users; with Hamming search they do not depend on the order of ties. Coverage is the share
    of items that anyone is recommended, novelty the mean of -log2(share of users who have the
    item), Gini the inequality of how often items are recommended. Items that a user has in training
    are not recommended. What users and items unknown to training have is left out, which standard
    error states.
    """
    chosen = _split(options)
    # Imported here because it loads torch, which takes seconds.
    from hashgnn.config.base import parse
    from hashgnn.recommender.fitting import ProgressBar, TrainingSettings
    from hashgnn.recommender.model_comparison import compare, divide

    settings = parse(
        TrainingSettings, {name: options[name] for name in TrainingSettings.model_fields}
    )
    data, _ = read_tables(tables, options)
    with errors_in_terms_of_options({}):
        division = divide(data, chosen)
    click.echo(_described(division.counts), err=True)
    cutoffs = sorted(dict.fromkeys(options["cutoffs"]))
    bar = ProgressBar()
    measured = compare(division, settings, cutoffs, bar)
    bar.close()
    with open_output(output) as file:
        file.write(_written(measured, layout, division.counts))


def _split(options: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the split."""
    if options["test_days"] is None:
        by = "random" if options["time"] is None else "time"
        return {"by": by, "test": options["share"] or _DEFAULT_SHARE, "seed": options["seed"]}
    if options["share"] is not None:
        raise InputError("--test and --test-days: give one of them")
    if options["time"] is None:
        raise InputError("--test-days: name the column of times with --time")
    return {"by": "time", "test_days": options["test_days"], "seed": options["seed"]}


def _described(counts: dict[str, int]) -> str:
    shown = {name: f"{count:,}" for name, count in counts.items()}
    return (
        "trained on {train_interactions} interactions of {train_users} users with {train_items} "
        "items; tested on {test_interactions} of {test_users} users; left out: "
        "{left_out_of_new_users} of users and {left_out_of_new_items} of items not in training"
    ).format(**shown)


def _written(measured: Any, layout: str, counts: dict[str, int]) -> str:
    """Return the data frame ``measured`` as text."""
    from hashgnn.reporting.tables import to_markdown

    if layout == "csv":
        text: str = measured.to_csv(index=False, lineterminator="\n")
        return text
    if layout == "json":
        return json.dumps({**counts, "results": measured.to_dict("records")}, indent=2) + "\n"
    printed = measured.map(lambda value: f"{value:.4f}" if isinstance(value, float) else value)
    return to_markdown(printed.astype(str))
