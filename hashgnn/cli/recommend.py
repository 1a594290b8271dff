"""``hashgnn recommend`` and ``hashgnn similar``: write ranked lists, with scores."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from hashgnn.cli.lists import (
    FILE,
    filter_options,
    ranking_options,
    read_filters,
    read_histories,
    read_ids,
    report,
)
from hashgnn.cli.saved_model import FOLDER
from hashgnn.cli.streams import open_output
from hashgnn.errors import InputError

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
    of the vectors for the other searches. With --unknown popular, a column (or key) source tells
    model from popular; the score of a popular item is its number of users.
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
