"""``hashgnn train``: from a table of interactions to a folder that the other commands read."""

from pathlib import Path
from typing import Any

import click
import yaml

from hashgnn.errors import InputError
from hashgnn.locks import write_alone

_TABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _settings(
    context: click.Context, parameter: click.Parameter, pairs: tuple[str, ...]
) -> dict[str, Any]:
    """``KEY=VALUE`` pairs, values in YAML."""
    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE")
        try:
            settings[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise click.BadParameter(f"{key}: {value!r} is not YAML") from error
    return settings


@click.command()
@click.argument("tables", nargs=-1, required=True, type=_TABLE, metavar="TABLE...")
@click.option(
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where the model goes.",
)
@click.option("--user", default="user", show_default=True, metavar="COLUMN", help="Users' ids.")
@click.option("--item", default="item", show_default=True, metavar="COLUMN", help="Items' ids.")
@click.option("--rating", metavar="COLUMN", help="Ratings, for --rating-at-least.")
@click.option("--rating-at-least", type=float, help="Lower ratings do not count.")
@click.option("--user-interactions", type=click.IntRange(1), help="Users with fewer are left out.")
@click.option("--item-interactions", type=click.IntRange(1), help="Items with fewer are left out.")
@click.option("--separator", help="Between fields. [default: a tab for .tsv, else a comma]")
@click.option(
    "--header/--no-header", default=True, help="Whether the first line names the columns."
)
@click.option("--encoding", help="Of the text. [default: utf-8]")
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
    help="A hyper-parameter that differs from the config's, such as epochs=30; may be repeated.",
)
@click.option("--overwrite", is_flag=True, help="Replace a model that is in FOLDER.")
def train(tables: tuple[Path, ...], output: Path, overwrite: bool, **given: Any) -> None:
    """Learn codes and vectors from the interactions in one or more TABLEs.

    CSV, TSV or Parquet, plain or compressed (gz, bz2, xz, zst, zip), one interaction a row. A
    COLUMN is a name, or a position from 0. Repeats of a pair count once. A training that was
    interrupted goes on where it was when the same command is given again.
    """
    # Here, since they bring torch, which takes seconds.
    from hashgnn.cli.info import describe
    from hashgnn.recommender.fitting import Options, fit
    from hashgnn.recommender.folder import has_model, save_model
    from hashgnn.recommender.progress import Bar

    with write_alone(output):
        if has_model(output) and not overwrite:
            raise InputError(f"{output}: holds a model; choose another folder or add --overwrite")
        interactions = _read(tables, given)
        names = ("bits", "method", "seed", "validation", "device", "parameters")
        options = Options(**{name: given[name] for name in names})
        bar = Bar()
        model, history = fit(interactions, options, bar, output / "checkpoint.pt", tables)
        bar.close()
        save_model(output, model, history)
    click.echo(describe(output))


def _read(tables: tuple[Path, ...], given: dict[str, Any]) -> Any:  # Given, which brings pandas
    import pandas as pd

    from hashgnn.data.prepare import prepare
    from hashgnn.recommender.given import Given
    from hashgnn.recommender.ids import Ids

    def chosen(*names: str) -> dict[str, Any]:
        return {name: given[name] for name in names if given[name] is not None}

    columns = {role: _column(name) for role, name in chosen("user", "item", "rating").items()}
    keep = ("rating_at_least", "user_interactions", "item_interactions")
    prepared = prepare(
        tables,
        {
            "dataset": tables[0].name,
            "reader": "table",
            "columns": columns,
            "format": chosen("separator", "header", "encoding"),
            "filter": chosen(*keep),
        },
    )
    users, items = (
        Ids(pd.Index(ids.to_pandas(), dtype="str"))
        for ids in (prepared.user_ids, prepared.item_ids)
    )
    return Given(prepared.interactions, users, items)


def _column(name: str) -> str | int:
    return int(name) if name.isdecimal() else name
