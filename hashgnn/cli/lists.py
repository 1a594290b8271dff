"""Options that name ids and lists of items: in files of lines, or in tables of users and items."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import click

from hashgnn.cli.streams import decode_argument, read_lines
from hashgnn.cli.train_model import read_tables

FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)
_TABLES = (".csv", ".tsv", ".parquet")

_RANKING = (
    click.option(
        "--number",
        "-n",
        default=10,
        show_default=True,
        type=click.IntRange(1),
        help="Length of each list.",
    ),
    click.option(
        "--search",
        default="hierarchical",
        show_default=True,
        type=click.Choice(["hierarchical", "hamming", "continuous"]),
        help="Search by code and re-rank by vector, search by code, or search by vector.",
    ),
    click.option(
        "--candidates",
        type=click.IntRange(1),
        help="Items that hierarchical search re-ranks, --number or more. [default: 500, or "
        "--number if that is more]",
    ),
    click.option(
        "--output",
        default="-",
        metavar="FILE",
        type=click.Path(dir_okay=False, allow_dash=True),
        help="File to write to. [default: standard output]",
    ),
)
_FILTERS = (
    click.option(
        "--items",
        type=FILE,
        metavar="FILE",
        help="Only these items: a file of ids, one per line; or, for a list per user, a table "
        "(.csv, .tsv, .parquet) with the columns user and item.",
    ),
    click.option(
        "--filter-items",
        type=FILE,
        metavar="FILE",
        help="Never these items: a file or table as for --items.",
    ),
)


def ranking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of all ranked lists to ``command``."""
    return reduce(lambda below, option: option(below), reversed(_RANKING), command)


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that restrict the items to ``command``."""
    return reduce(lambda below, option: option(below), reversed(_FILTERS), command)


def read_filters(items: str | None, filter_items: str | None) -> dict[str, Any]:
    """Return the arguments ``items`` and ``filter_items`` of ``Model.recommend``."""
    given = {"items": items, "filter_items": filter_items}
    return {name: _item_lists(path) for name, path in given.items() if path is not None}


def _item_lists(path: str) -> list[str] | dict[str, list[str]]:
    kinds = Path(path).suffixes
    return read_histories(Path(path)) if set(kinds) & set(_TABLES) else read_lines(path)


def read_histories(table: Path, user: str = "user", item: str = "item") -> dict[str, list[str]]:
    """Return the items of each user in a table, both as text."""
    options: Mapping[str, Any] = {
        **dict.fromkeys(("rating", "rating_at_least", "user_interactions", "item_interactions")),
        **dict.fromkeys(("separator", "encoding", "member")),
        **{"user": user, "item": item, "header": True, "quote": True},
    }
    data, _ = read_tables((table,), options)
    interactions, users, items = data.interactions, data.users, data.items
    texts = items.text.to_numpy()[interactions.item].tolist()
    ends = interactions.user.searchsorted(range(len(users) + 1)).tolist()
    return {
        name: texts[start:end]
        for name, start, end in zip(users.text, ends[:-1], ends[1:], strict=True)
    }


def read_ids(named: Sequence[str], option: str, path: str | None) -> list[str]:
    """Return the ids given by an option of the command line, then those in the lines of a file."""
    return [
        *(decode_argument(id_, option) for id_ in named),
        *([] if path is None else read_lines(path)),
    ]


def report(ids: Sequence[str], kind: str, consequence: str) -> None:
    """State the number of ids that cannot be used on standard error, if there are any."""
    from hashgnn.recommender.id_rows import listed

    if ids:
        plural = "" if len(ids) == 1 else "s"
        click.echo(f"{len(ids):,} {kind}{plural} {consequence}: {listed(ids)}", err=True)
