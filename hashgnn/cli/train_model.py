"""``hashgnn train`` and ``hashgnn update``: train a model on tables of interactions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import click

from hashgnn.cli.saved_model import FOLDER, describe
from hashgnn.cli.streams import spooled
from hashgnn.errors import InputError
from hashgnn.files import reserve_folder

TABLES = click.argument(
    "tables",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="TABLE...",
)
_OPTIONS = (
    click.option(
        "--user", default="user", show_default=True, metavar="COLUMN", help="User column."
    ),
    click.option(
        "--item", default="item", show_default=True, metavar="COLUMN", help="Item column."
    ),
    click.option(
        "--weight",
        metavar="COLUMN",
        help="Weight column: how much an interaction counts, a number above 0.",
    ),
    click.option("--rating", metavar="COLUMN", help="Rating column, for --rating-at-least."),
    click.option("--rating-at-least", type=float, help="Drop lower ratings."),
    click.option(
        "--user-interactions", type=click.IntRange(1), help="Drop users with fewer interactions."
    ),
    click.option(
        "--item-interactions", type=click.IntRange(1), help="Drop items with fewer interactions."
    ),
    click.option("--separator", help="Field separator. [default: a tab for .tsv, else a comma]"),
    click.option(
        "--header/--no-header", default=True, help="Whether the first line holds the column names."
    ),
    click.option("--quote/--no-quote", default=True, help="Whether double quotes enclose fields."),
    click.option("--encoding", help="Encoding of the text. [default: utf-8]"),
    click.option("--member", help="File to read from a zip archive that holds several."),
)
# Keys of a config in the messages of the reader, and the options that they stand for.
_OPTION_NAMES = {
    "format.header false": "--no-header",
    "format.quote: false": "--no-quote",
    **{f"format.{name}": f"--{name}" for name in ("encoding", "member", "separator")},
    **{f"columns.{role}": f"--{role}" for role in ("user", "item", "rating", "time", "weight")},
    "format.time": "--time-unit",
    "split.test_days": "--test-days",
    "filter.rating_at_least": "--rating-at-least",
}


def table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that describe tables to ``command``."""
    return reduce(lambda below, option: option(below), reversed(_OPTIONS), command)


_FEATURES = tuple(
    click.option(
        f"--{kind}-features",
        metavar="TABLE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=f"CSV, TSV or Parquet with the column of {kind}s and features of them.",
    )
    for kind in ("user", "item")
)


def feature_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of tables of features to ``command``."""
    return reduce(lambda below, option: option(below), reversed(_FEATURES), command)


def read_features(options: Mapping[str, Any]) -> tuple[list[Any], dict[str, str]]:
    """Return the tables of ``feature_options``, and the SHA-256 of each."""
    from hashgnn.data.features import KINDS, read_file
    from hashgnn.stage.record import Inputs

    given = {kind: path for kind in KINDS if (path := options[f"{kind}_features"])}
    inputs = Inputs(given.values(), None)
    tables = [read_file(path, kind, options[kind]) for kind, path in given.items()]
    return tables, dict(inputs.unchanged(()))


def read_tables(tables: tuple[Path, ...], options: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    """Return the interactions in ``tables`` as ``TrainingData``, and the SHA-256 of each table.

    ``options``: values of ``table_options`` by name. A pipe is read once, into a temporary file.
    """
    from hashgnn.data.prepare import prepare
    from hashgnn.stage.record import Inputs

    with spooled(tables) as files, errors_in_terms_of_options(files):
        inputs = Inputs(files.values(), None)
        prepared = prepare(list(files.values()), _reader_settings(tables, options))
        read = inputs.unchanged(())
    return _training_data(prepared), {str(path): read[str(file)] for path, file in files.items()}


def _reader_settings(tables: tuple[Path, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    from hashgnn.data.delimited import NameOrPosition

    def chosen(*names: str) -> dict[str, Any]:
        return {name: options[name] for name in names if options.get(name) is not None}

    columns = chosen("user", "item", "rating", "time", "weight")
    layout = chosen("separator", "header", "quote", "encoding", "member")
    if options.get("time_unit") is not None:
        layout["time"] = options["time_unit"]
    return {
        "dataset": str(tables[0]),
        "reader": "table",
        "columns": {role: NameOrPosition(column) for role, column in columns.items()},
        "format": layout,
        "filter": chosen("rating_at_least", "user_interactions", "item_interactions"),
    }


def _training_data(prepared: Any) -> Any:  # from Prepared; the types would import pandas
    import pandas as pd

    from hashgnn.recommender.adapter import TrainingData
    from hashgnn.recommender.queries import Ids

    users, items = (
        Ids(pd.Index(ids.to_pandas(), dtype="str"))
        for ids in (prepared.user_ids, prepared.item_ids)
    )
    return TrainingData(prepared.interactions, users, items, repeats=prepared.repeats)


@contextmanager
def errors_in_terms_of_options(files: Mapping[Path, Path]) -> Iterator[None]:
    """Make errors name the given tables and options, not temporary copies and config keys."""
    try:
        yield
    except InputError as error:
        message = str(error)
        for path, file in files.items():
            message = message.replace(str(file), str(path))
        for key, option in _OPTION_NAMES.items():
            message = message.replace(key, option)
        raise InputError(message) from error


_OF_OPTIONS = ("method", "bits", "seed", "validation", "device")


def _parse_pairs(
    context: click.Context, parameter: click.Parameter, pairs: tuple[str, ...]
) -> dict[str, Any]:
    """Parse ``KEY=VALUE`` pairs, with values in YAML."""
    if not pairs:
        return {}
    import yaml

    from hashgnn.config.methods import merged
    from hashgnn.config.model import refuse_repeated_keys_in

    parameters: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE")
        if key in _OF_OPTIONS:
            raise click.BadParameter(f"{key} is no hyper-parameter; use --{key} {value}")
        try:
            refuse_repeated_keys_in(f"--set {key}", value)
            parameters = merged(parameters, {key: yaml.safe_load(value)})
        except yaml.YAMLError as error:
            raise click.BadParameter(f"{key}: {value!r} is not YAML") from error
    return parameters


_TRAINING = (
    click.option("--bits", default=32, show_default=True, help="Length of the codes."),
    click.option(
        "--method",
        default="hashgnn",
        show_default=True,
        help="Method: hashgnn, hashgnn_plus, als, or another of the workflow's config that trains "
        "without the vectors of another one.",
    ),
    click.option("--seed", default=0, show_default=True, help="Seed of all random numbers."),
    click.option(
        "--validation",
        default=0.1,
        show_default=True,
        help="Share of each user's interactions held out to choose the best epoch.",
    ),
    click.option(
        "--refit/--no-refit",
        default=True,
        show_default=True,
        help="Whether to train once more on all interactions, for the best number of epochs.",
    ),
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."),
    click.option(
        "--tune",
        metavar="TIME",
        help="Choose hyper-parameters first, by trials on the held-out interactions, for a TIME "
        "such as 10m or 1h. Those of --set stay as they are.",
    ),
    click.option(
        "--set",
        "parameters",
        multiple=True,
        metavar="KEY=VALUE",
        callback=_parse_pairs,
        help="Set a hyper-parameter to another value than the config's, for example epochs=30 or "
        "guidance.floor=0.4; may be repeated.",
    ),
)


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a training to ``command``."""
    return reduce(lambda below, option: option(below), reversed(_TRAINING), command)


def training_settings(options: Mapping[str, Any]) -> Any:
    """Return the ``TrainingSettings`` of ``training_options``.

    Raises ``InputError`` for wrong ones, at once, as neither torch nor pandas nor numba is loaded.
    """
    from hashgnn.config.base import parse
    from hashgnn.recommender.defaults import TrainingSettings

    return parse(TrainingSettings, {name: options[name] for name in TrainingSettings.model_fields})


@click.command()
@TABLES
@click.option(
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder to write the model to.",
)
@table_options
@training_options
@feature_options
@click.option("--overwrite", is_flag=True, help="Replace an existing model in FOLDER.")
def train(tables: tuple[Path, ...], output: Path, overwrite: bool, **options: Any) -> None:
    """Train a model on the interactions in one or more TABLEs.

    A TABLE is CSV, TSV or Parquet, plain or compressed (gz, bz2, xz, zst, zip), with one
    interaction per row; - is standard input, and pipes are copied to $TMPDIR. A COLUMN is a name,
    or a position from 0 if no column has that name. Repeats of a pair count once. To resume an
    interrupted training, run the same command again.
    """
    settings = training_settings(options)
    _refuse_model(output, overwrite)
    # Imported here because it loads torch, which takes seconds.
    from hashgnn.kernels import announce_compilation
    from hashgnn.recommender.adapter import with_features
    from hashgnn.recommender.fitting import ProgressBar, check_parameters, fit, summary
    from hashgnn.recommender.folder import save_model

    announce_compilation()
    check_parameters(settings.method, settings.parameters, ())
    with reserve_folder(output):
        _refuse_model(output, overwrite)
        data, inputs = read_tables(tables, options)
        repeats = {"repeats": data.repeats} if data.repeats else {}
        features, read = read_features(options)
        data, inputs = with_features(data, features), {**inputs, **read}
        bar = ProgressBar()
        model, history = fit(data, settings, bar, output / "checkpoint.pt")
        bar.close()
        model = replace(model, record={**model.record, "inputs": inputs, **repeats})
        save_model(output, model, history)
    click.echo(describe(output))
    if tuned := model.record.get("tuning"):
        click.echo(summary(tuned, model.record["settings"]["validation_cutoff"]))


def _refuse_model(output: Path, overwrite: bool) -> None:
    """Raise ``InputError`` if a model is in the way."""
    from hashgnn.recommender.folder import has_model

    if not overwrite and has_model(output):
        raise InputError(f"{output}: holds a model; choose another folder or add --overwrite")


@click.command()
@FOLDER
@TABLES
@table_options
@feature_options
@click.option(
    "--epochs",
    type=click.IntRange(1),
    help="Epochs of a graph method or ALS. [default: a tenth of those of the training]",
)
def update(folder: Path, tables: tuple[Path, ...], epochs: int | None, **options: Any) -> None:
    """Continue the training of the model in FOLDER with the new interactions in TABLEs.

    Users and items keep their rows in the codes and vectors; new ones come after them. A graph
    method starts from its weights, ALS from its vectors; other methods are trained anew. The new
    model replaces the old one at once when it is complete; until then the old one is served. A
    second update of the same folder is refused meanwhile.
    """
    from hashgnn.recommender.folder import has_model, load_model, save_model

    if not has_model(folder) or not (folder / "items.csv").is_file():
        raise InputError(f"{folder}: no model of hashgnn train or HashGNN.save; train one first")
    # Imported here because it loads torch, which takes seconds.
    from hashgnn.recommender.fitting import ProgressBar
    from hashgnn.recommender.updating import update as continued

    with reserve_folder(folder):
        model = load_model(folder)
        data, inputs = read_tables(tables, options)
        features, described = read_features(options)
        bar = ProgressBar()
        made, history = continued(model, data, epochs, bar, features)
        bar.close()
        read = {**model.record.get("inputs", {}), **inputs, **described}
        save_model(folder, replace(made, record={**made.record, "inputs": read}), history)
    old, new = model.interactions, made.interactions
    click.echo(
        f"{len(new.user) - len(old.user):,} new interactions, {new.n_users - old.n_users:,} new "
        f"users, {new.n_items - old.n_items:,} new items"
    )
