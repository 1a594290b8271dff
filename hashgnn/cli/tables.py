"""Read the tables that a command names: options, pipes, checksums of what was read."""

import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import IO, Any

import click

from hashgnn.cli.streams import standard_input
from hashgnn.errors import InputError

STANDARD_INPUT = Path("-")


@contextmanager
def spooled(paths: Iterable[Path]) -> Iterator[dict[Path, Path]]:
    """Yield the file to read for each of ``paths``: itself, or a copy of what a pipe gives.

    The copies are removed at the end. ``InputError`` for a device, a socket and what does not fit.
    """
    with tempfile.TemporaryDirectory(prefix="hashgnn-tables-") as folder:
        yield {
            path: _file(path, Path(folder, f"{number}-{path.name}"))
            for number, path in enumerate(dict.fromkeys(paths))
        }


def _file(path: Path, copy: Path) -> Path:
    if path == STANDARD_INPUT:
        _copy(standard_input(), path, copy)
        return copy
    mode = path.stat().st_mode
    if stat.S_ISREG(mode):
        return path
    if not stat.S_ISFIFO(mode):
        raise InputError(f"{path}: neither a regular file nor a pipe; give one")
    with path.open("rb") as pipe:
        _copy(pipe, path, copy)
    return copy


def _copy(pipe: IO[bytes], path: Path, copy: Path) -> None:
    try:
        with copy.open("wb") as file:
            shutil.copyfileobj(pipe, file, 1 << 20)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be copied to {copy.parent} ({error.strerror}); set TMPDIR to a folder "
            "with room, or give a regular file"
        ) from error


TABLES = click.argument(
    "tables",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="TABLE...",
)
_OPTIONS = (
    click.option("--user", default="user", show_default=True, metavar="COLUMN", help="Users' ids."),
    click.option("--item", default="item", show_default=True, metavar="COLUMN", help="Items' ids."),
    click.option("--rating", metavar="COLUMN", help="Ratings, for --rating-at-least."),
    click.option("--rating-at-least", type=float, help="Lower ratings do not count."),
    click.option(
        "--user-interactions", type=click.IntRange(1), help="Users with fewer are left out."
    ),
    click.option(
        "--item-interactions", type=click.IntRange(1), help="Items with fewer are left out."
    ),
    click.option("--separator", help="Between fields. [default: a tab for .tsv, else a comma]"),
    click.option(
        "--header/--no-header", default=True, help="Whether the first line names the columns."
    ),
    click.option("--quote/--no-quote", default=True, help="Whether double quotes enclose fields."),
    click.option("--encoding", help="Of the text. [default: utf-8]"),
    click.option("--member", help="The file to read in a zip archive that holds several."),
)
# What the reader's errors name, and what the command calls it.
_CALLED = {
    "format.header false": "--no-header",
    "format.quote: false": "--no-quote",
    **{f"format.{name}": f"--{name}" for name in ("encoding", "member", "separator")},
    **{f"columns.{role}": f"--{role}" for role in ("user", "item", "rating")},
    "filter.rating_at_least": "--rating-at-least",
}


def table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``command`` the options that tell how to read its tables."""
    return reduce(lambda below, option: option(below), reversed(_OPTIONS), command)


def read_tables(tables: tuple[Path, ...], given: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    """The interactions in ``tables``, as Given, and the SHA-256 of each by its path.

    ``given`` holds the values of the options. A pipe is read once, into a temporary file.
    """
    # Here, since they bring what takes long to load.
    from hashgnn.cli.tables import spooled
    from hashgnn.data.prepare import prepare
    from hashgnn.stage.inputs import Inputs

    with spooled(tables) as files, _as_the_command_says(files):
        inputs = Inputs(files.values(), None)
        prepared = prepare(list(files.values()), _settings(tables, given))
        read = inputs.unchanged(())
    return _given(prepared), {str(path): read[str(file)] for path, file in files.items()}


def _settings(tables: tuple[Path, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    from hashgnn.data.cells import NameOrPosition

    def chosen(*names: str) -> dict[str, Any]:
        return {name: given[name] for name in names if given[name] is not None}

    columns = chosen("user", "item", "rating")
    return {
        "dataset": str(tables[0]),
        "reader": "table",
        "columns": {role: NameOrPosition(column) for role, column in columns.items()},
        "format": chosen("separator", "header", "quote", "encoding", "member"),
        "filter": chosen("rating_at_least", "user_interactions", "item_interactions"),
    }


def _given(prepared: Any) -> Any:  # Prepared to Given, which bring pandas
    import pandas as pd

    from hashgnn.recommender.adapter import Given, Ids

    users, items = (
        Ids(pd.Index(ids.to_pandas(), dtype="str"))
        for ids in (prepared.user_ids, prepared.item_ids)
    )
    return Given(prepared.interactions, users, items)


@contextmanager
def _as_the_command_says(files: Mapping[Path, Path]) -> Iterator[None]:
    """Errors name the files and options that were given, not copies and keys of a config."""
    try:
        yield
    except InputError as error:
        message = str(error)
        for path, file in files.items():
            message = message.replace(str(file), str(path))
        for key, option in _CALLED.items():
            message = message.replace(key, option)
        raise InputError(message) from error
