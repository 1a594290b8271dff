"""``hashgnn recommend`` and ``hashgnn similar``: write ranked lists, with scores."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import IO, Any

import click

from hashgnn.cli.saved_model import FOLDER
from hashgnn.cli.streams import decode_argument, open_output, read_lines
from hashgnn.cli.train_model import read_tables
from hashgnn.errors import InputError

# Ids and lists of items: in files of lines, or in tables of users and items.

FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)
_TABLES = (".csv", ".tsv", ".parquet")

_NEIGHBORS = click.option(
    "--search",
    default="hierarchical",
    show_default=True,
    type=click.Choice(["hierarchical", "hamming", "continuous"]),
    help="Search by code and re-rank by vector, search by code, or search by vector.",
)
_SEARCH = click.option(
    "--search",
    default="hierarchical",
    show_default=True,
    type=click.Choice(["hierarchical", "hamming", "asymmetric", "continuous"]),
    help="Search by code and re-rank by vector, search by code, search the items' codes by the "
    "user's vector, or search by vector.",
)
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
    from hashgnn.recommender.queries import listed

    if ids:
        plural = "" if len(ids) == 1 else "s"
        click.echo(f"{len(ids):,} {kind}{plural} {consequence}: {listed(ids)}", err=True)


# The commands.

# Ids at a time, and items for all of them together, to bound the memory.
_BLOCK, _ITEMS = 2048, 1 << 24
_LEFT_OUT = "left out"
_CONSEQUENCES = {"error": "", "skip": _LEFT_OUT, "popular": "given popular items"}


@click.command()
@FOLDER
@click.option("--user", "named", multiple=True, metavar="ID", help="A user id; may be repeated.")
@click.option(
    "--users",
    type=FILE,
    metavar="FILE",
    help="File of user ids, one per line, in UTF-8; - is standard input. [default: all users]",
)
@click.option(
    "--history",
    type=FILE,
    metavar="TABLE",
    help="Recommend to the users of a table with the columns user and item (.csv, .tsv, .parquet), "
    "known or not, by these items and without training.",
)
@ranking_options
@_SEARCH
@filter_options
@click.option(
    "--include-known",
    is_flag=True,
    help="Also recommend items that a user interacted with in training.",
)
@click.option(
    "--unknown",
    default="error",
    show_default=True,
    type=click.Choice(["error", "skip", "popular"]),
    help="What to do with unknown users: stop, leave them out, or recommend the most popular "
    "items; unknown items in files are left out unless they are an error.",
)
@click.option(
    "--format",
    "layout",
    default="csv",
    show_default=True,
    type=click.Choice(["csv", "jsonl"]),
    help="A CSV row per item, or a JSON line per user.",
)
def recommend(
    folder: Path,
    named: tuple[str, ...],
    users: str | None,
    history: str | None,
    layout: str,
    output: str,
    **query: Any,
) -> None:
    """Recommend items to users with the model in FOLDER.

    CSV has the columns user, item, rank and score; a JSON line is {"user": ..., "items": [...],
    "scores": [...]}. Users are written in the given order, repeated ones repeatedly; the lists of a
    user for whom no items are left are empty. Scores are inner products: of the codes for hamming,
    of the user's vector and the item's code for asymmetric, else of the vectors. With --unknown
    popular, a column (or key) source tells model from popular; the score of a popular item is its
    number of users.
    """
    if history is not None and (named or users is not None):
        raise InputError("--history names the users itself; leave out --user and --users")
    from hashgnn.recommender.folder import load_model
    from hashgnn.recommender.queries import sizes

    model = load_model(folder)
    options = {
        "search": query["search"],
        "exclude_known": not query["include_known"],
        "unknown": query["unknown"],
        **read_filters(query["items"], query["filter_items"]),
    }
    histories = None if history is None else read_histories(Path(history))
    if histories is not None:
        queried = _answerable(model, histories, query["unknown"])
    elif named or users is not None:
        queried = _known(model, read_ids(named, "--user", users), query["unknown"])
    else:
        queried = model.user_ids.text.tolist()
    _report_items(model, {"histories": histories or {}, **options})
    # Sizes are limited first, as they determine how many users fit into memory.
    number, candidates = sizes(query["number"], query["candidates"], len(model.item_ids))
    options["candidates"] = candidates
    step = max(1, min(_BLOCK, _ITEMS // max(number, candidates)))
    with open_output(output) as file, _progress(len(queried)) as bar:
        if layout == "csv":
            source = ",source" if query["unknown"] == "popular" else ""
            file.write(f"user,item,rank,score{source}\n")
        for start in range(0, len(queried), step):
            block = queried[start : start + step]
            if histories is None:
                found = model.recommend(block, number, **options)
            else:
                own = {user: histories[user] for user in block}
                found = model.recommend(n=number, histories=own, **options)
            if layout == "csv":
                found.to_csv(file, index=False, header=False, lineterminator="\n")
            else:
                _write_lines(file, model.user_ids.labels(block).tolist(), found)
            bar.update(len(block))


def _progress(users: int) -> Any:
    """Return a bar on standard error, which is hidden where that is no terminal."""
    terminal = sys.stderr is not None and sys.stderr.isatty()
    return click.progressbar(length=users, label="users", file=sys.stderr, hidden=not terminal)


def _known(model: Any, users: list[str], unknown: Any) -> list[str]:
    """Return the users to answer; state how many are unknown, or raise ``InputError``."""
    rows = model.user_ids.find(users, "user", unknown)
    strangers = [user for user, row in zip(users, rows, strict=True) if row < 0]
    report(strangers, "unknown user", _CONSEQUENCES[unknown])
    if unknown == "popular":
        return users
    return [user for user, row in zip(users, rows, strict=True) if row >= 0]


def _answerable(model: Any, histories: dict[str, list[str]], unknown: Any) -> list[str]:
    """Return the users to answer; state how many have no item that the model knows."""
    from hashgnn.recommender.adapter import read_histories as find

    found = find(histories, model.item_ids, unknown)
    without = [user for user, rows in found.items() if not len(rows)]
    report(without, "user", f"without a known item {_CONSEQUENCES[unknown]}")
    if unknown == "popular":
        return list(found)
    return [user for user, rows in found.items() if len(rows)]


def _report_items(model: Any, options: dict[str, Any]) -> None:
    """State how many items of the filters are unknown, unless they are an error."""
    if options["unknown"] == "error":
        return
    for name in ("histories", "items", "filter_items"):
        lists = options.get(name, [])
        given = lists if isinstance(lists, list) else [i for items in lists.values() for i in items]
        names = list(dict.fromkeys(given))
        rows = model.item_ids.find(names, "item", "skip")
        missing = [item for item, row in zip(names, rows, strict=True) if row < 0]
        option = "history" if name == "histories" else name.replace("_", "-")
        report(missing, "unknown item", f"of --{option} {_LEFT_OUT}")


def _write_lines(file: IO[str], users: Sequence[Any], found: Any) -> None:  # a data frame
    """Write a JSON line per user; the rows of a user, if any, are consecutive in ``found``."""
    lists = [rows for _, rows in found.groupby((found["rank"] == 1).cumsum())]
    lists.reverse()
    for user in users:
        rows = lists.pop() if lists and lists[-1]["user"].iloc[0] == user else found[:0]
        # The shortest text of the float32; that of the equal float64 is longer.
        numbers = [json.loads(str(score)) for score in rows["score"].to_numpy()]
        line = {"user": user, "items": rows["item"].tolist(), "scores": numbers}
        if "source" in found:
            line["source"] = rows["source"].iloc[0] if len(rows) else "model"
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


@click.command()
@FOLDER
@click.argument("kind", type=click.Choice(["items", "users"]))
@click.option("--id", "named", multiple=True, metavar="ID", help="An id; may be repeated.")
@click.option(
    "--ids",
    type=FILE,
    metavar="FILE",
    help="File of ids, one per line, in UTF-8; - is standard input. [default: all]",
)
@ranking_options
@_NEIGHBORS
@filter_options
@click.option(
    "--unknown",
    default="error",
    show_default=True,
    type=click.Choice(["error", "skip"]),
    help="Whether unknown ids are an error or left out.",
)
def similar(
    folder: Path, kind: str, named: tuple[str, ...], ids: str | None, output: str, **query: Any
) -> None:
    """Find the items or users most similar to given ones, with the model in FOLDER.

    Writes CSV with the columns item (or user), similar, rank and score: the inner product of the
    codes for hamming, the cosine of the vectors for the other searches. A list per user in --items
    or --filter-items is one per given item here.
    """
    from hashgnn.recommender.folder import load_model
    from hashgnn.recommender.queries import sizes

    filters = read_filters(query["items"], query["filter_items"])
    if filters and kind == "users":
        raise InputError("--items and --filter-items: similar users have no filters of items")
    model, one = load_model(folder), kind.removesuffix("s")
    known = model.item_ids if kind == "items" else model.user_ids
    queried = read_ids(named, "--id", ids)
    if not named and ids is None:
        queried = known.text.tolist()
    rows = known.find(queried, one, query["unknown"])
    report(
        [id_ for id_, row in zip(queried, rows, strict=True) if row < 0],
        f"unknown {one}",
        "left out",
    )
    options = {name: query[name] for name in ("search", "unknown")}
    number, options["candidates"] = sizes(query["number"], query["candidates"], len(known))
    with open_output(output) as file:
        file.write(f"{one},similar,rank,score\n")
        for start in range(0, len(queried), _BLOCK):
            block = queried[start : start + _BLOCK]
            found = model.similar(one, block, number, **options, **filters)
            found.to_csv(file, index=False, header=False, lineterminator="\n")
