"""``hashgnn similar``: write the items or users most similar to given ones."""

from pathlib import Path
from typing import Any

import click

from hashgnn.cli.lists import FILE, filter_options, ranking_options, read_filters, read_ids, report
from hashgnn.cli.saved_model import FOLDER
from hashgnn.cli.streams import open_output
from hashgnn.errors import InputError

_BLOCK = 2048  # ids at a time, to bound the memory


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
