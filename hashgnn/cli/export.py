"""``hashgnn export``: codes, vectors and ids for other systems."""

from pathlib import Path
from typing import Any

import click

from hashgnn.cli.options import FOLDER
from hashgnn.errors import InputError

FORMATS = ("numpy", "parquet", "faiss", "index")


@click.command()
@FOLDER
@click.option(
    "--output",
    required=True,
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the files go.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    default=("numpy", "parquet"),
    show_default=True,
    help="May be repeated.",
)
def export(folder: Path, output: Path, formats: tuple[str, ...]) -> None:
    """Write the codes, vectors and ids of the model in FOLDER for other systems.

    \b
    numpy    user_ids.npy, user_codes.npy (uint8, bit k of a code in bit k % 8 of
             byte k // 8), user_vectors.npy (float32), and the same of items
    parquet  users.parquet and items.parquet: id, code (bytes), vector (floats)
    faiss    items.faiss, an IndexBinaryFlat whose ids are rows of item_ids.npy;
             needs pip install 'hashgnn[faiss]'
    index    index/, which hashgnn.search.Index.load maps into memory; its items are
             rows of item_ids.npy

    export.json says of which model the files are. Files of another model that an
    earlier export left in the folder are removed.
    """
    from hashgnn.folders import replace_together
    from hashgnn.recommender import export as formats_
    from hashgnn.recommender.folder import has_model, load_model

    if has_model(output):
        raise InputError(f"{output}: holds a model; choose another folder for the export")
    model = load_model(folder)
    writers: dict[str, Any] = {
        "numpy": formats_.write_numpy,
        "parquet": formats_.write_parquet,
        "faiss": formats_.write_faiss,
        "index": formats_.write_index,
    }
    names = formats_.replaced_files(output, model, formats)
    with replace_together(output, names) as staged:
        formats_.write_record(staged, model)
        written = [path for name in dict.fromkeys(formats) for path in writers[name](staged, model)]
    for path in written:
        click.echo(output / path.relative_to(staged))
