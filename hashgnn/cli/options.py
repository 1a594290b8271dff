"""Arguments that several commands take."""

from pathlib import Path

import click

FOLDER = click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="FOLDER"
)
