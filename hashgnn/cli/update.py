"""``hashgnn update``: continue the training of a saved model with new interactions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from hashgnn.cli.saved_model import FOLDER
from hashgnn.cli.train_model import (
    TABLES,
    feature_options,
    read_features,
    read_tables,
    table_options,
)
from hashgnn.errors import InputError
from hashgnn.folders import reserve_folder


@click.command()
@FOLDER
@TABLES
@table_options
@feature_options
@click.option(
    "--epochs",
    type=click.IntRange(1),
    help="Epochs of a graph method. [default: a tenth of those of the training]",
)
def update(folder: Path, tables: tuple[Path, ...], epochs: int | None, **options: Any) -> None:
    """Continue the training of the model in FOLDER with the new interactions in TABLEs.

    Users and items keep their rows in the codes and vectors; new ones come after them. The weights
    of a graph method are the start, other methods are trained anew. The new model replaces the old
    one at once when it is complete; until then the old one is served. A second update of the same
    folder is refused meanwhile.
    """
    # Imported here because it loads torch, which takes seconds.
    from hashgnn.recommender.fitting import ProgressBar
    from hashgnn.recommender.folder import has_model, load_model, save_model
    from hashgnn.recommender.updating import update as continued

    if not has_model(folder) or not (folder / "items.csv").is_file():
        raise InputError(f"{folder}: no model of hashgnn train or HashGNN.save; train one first")
    with reserve_folder(folder):
        model = load_model(folder)
        data, inputs = read_tables(tables, options)
        bar = ProgressBar()
        features, described = read_features(options)
        made, history = continued(model, data, epochs, bar, features)
        bar.close()
        read = {**model.record.get("inputs", {}), **inputs, **described}
        save_model(folder, replace(made, record={**made.record, "inputs": read}), history)
    old, new = model.interactions, made.interactions
    click.echo(
        f"{len(new.user) - len(old.user):,} new interactions, {new.n_users - old.n_users:,} new "
        f"users, {new.n_items - old.n_items:,} new items"
    )
