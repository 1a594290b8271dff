"""``hashgnn export``: codes, vectors and ids for other systems."""

from pathlib import Path
from typing import Any

import click

from hashgnn.cli.options import FOLDER

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
    """
    from hashgnn.folders import replace_together
    from hashgnn.recommender import export as formats_
    from hashgnn.recommender.folder import load_model

    model = load_model(folder)
    writers: dict[str, Any] = {
        "numpy": formats_.write_numpy,
        "parquet": formats_.write_parquet,
        "faiss": formats_.write_faiss,
        "index": formats_.write_index,
    }
    names = [file for name in formats for file in formats_.FILES[name]]
    with replace_together(output, names) as staged:
        written = [path for name in dict.fromkeys(formats) for path in writers[name](staged, model)]
    for path in written:
        click.echo(output / path.relative_to(staged))
