"""``hashgnn train``: from a table of interactions to a folder that the other commands read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import yaml

from hashgnn.cli.tables import TABLES, read_tables, table_options
from hashgnn.config.loading import refuse_repeated_keys_in
from hashgnn.config.methods import merged
from hashgnn.errors import InputError
from hashgnn.locks import write_alone


def _settings(
    context: click.Context, parameter: click.Parameter, pairs: tuple[str, ...]
) -> dict[str, Any]:
    """``KEY=VALUE`` pairs, values in YAML."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE")
        try:
            refuse_repeated_keys_in(f"--set {key}", value)
            settings = merged(settings, {key: yaml.safe_load(value)})
        except yaml.YAMLError as error:
            raise click.BadParameter(f"{key}: {value!r} is not YAML") from error
    return settings


@click.command()
@TABLES
@click.option(
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where the model goes.",
)
@table_options
@click.option("--bits", default=32, show_default=True, help="Length of the codes.")
@click.option(
    "--method", default="hashgnn", show_default=True, help="Id of a method of the config."
)
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--validation",
    default=0.1,
    show_default=True,
    help="Share of each user's interactions by which the best epoch is chosen.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--set",
    "parameters",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_settings,
    help="A hyper-parameter that differs from the config's, such as epochs=30 or "
    "guidance.floor=0.4; may be repeated.",
)
@click.option("--overwrite", is_flag=True, help="Replace a model that is in FOLDER.")
def train(tables: tuple[Path, ...], output: Path, overwrite: bool, **given: Any) -> None:
    """Learn codes and vectors from the interactions in one or more TABLEs.

    CSV, TSV or Parquet, plain or compressed (gz, bz2, xz, zst, zip), one interaction a row; - is
    standard input, and pipes are copied to $TMPDIR. A COLUMN is a name, or a position from 0 where
    no column has that name. Repeats of a pair count once. A training that was interrupted goes on
    where it was when the same command is given again.
    """
    # Here, since they bring torch, which takes seconds.
    from hashgnn.cli.info import describe
    from hashgnn.recommender.fitting import Bar, fit
    from hashgnn.recommender.folder import has_model, save_model
    from hashgnn.recommender.options import Options

    names = ("bits", "method", "seed", "validation", "device", "parameters")
    options = Options.of(**{name: given[name] for name in names})
    with write_alone(output):
        if has_model(output) and not overwrite:
            raise InputError(f"{output}: holds a model; choose another folder or add --overwrite")
        interactions, inputs = read_tables(tables, given)
        bar = Bar()
        model, history = fit(interactions, options, bar, output / "checkpoint.pt")
        bar.close()
        model = replace(model, record={**model.record, "inputs": inputs})
        save_model(output, model, history)
    click.echo(describe(output))
