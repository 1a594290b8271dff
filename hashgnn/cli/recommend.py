"""``hashgnn recommend``: write the best items of users, with scores."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from hashgnn.cli.saved_model import FOLDER
from hashgnn.cli.streams import decode_argument, open_output, read_lines

# Users at a time, and items for all of them together, to bound the memory.
_BLOCK, _ITEMS = 2048, 1 << 24


@click.command()
@FOLDER
@click.option("--user", "named", multiple=True, metavar="ID", help="A user id; may be repeated.")
@click.option(
    "--users",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="File of user ids, one per line, in UTF-8; - is standard input. [default: all users]",
)
@click.option(
    "--number",
    "-n",
    default=10,
    show_default=True,
    type=click.IntRange(1),
    help="Items per user.",
)
@click.option(
    "--search",
    default="hierarchical",
    show_default=True,
    type=click.Choice(["hierarchical", "hamming", "continuous"]),
    help="Search by code and re-rank by vector, search by code, or search by vector.",
)
@click.option(
    "--candidates",
    default=500,
    show_default=True,
    type=click.IntRange(1),
    help="Items that hierarchical search re-ranks.",
)
@click.option(
    "--include-known",
    is_flag=True,
    help="Also recommend items that a user interacted with in training.",
)
@click.option(
    "--format",
    "layout",
    default="csv",
    show_default=True,
    type=click.Choice(["csv", "jsonl"]),
    help="A CSV row per item, or a JSON line per user.",
)
@click.option(
    "--output",
    default="-",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="File to write to. [default: standard output]",
)
def recommend(
    folder: Path,
    named: tuple[str, ...],
    users: str | None,
    layout: str,
    output: str,
    number: int,
    search: Any,
    candidates: int,
    include_known: bool,
) -> None:
    """Recommend items to users with the model in FOLDER.

    CSV has the columns user, item, rank and score; a JSON line is {"user": ..., "items": [...],
    "scores": [...]}. Users are written in the given order, repeated ones repeatedly; the lists of a
    user for whom no items are left are empty. Scores are inner products: of the codes for hamming,
    of the vectors for the other searches. Unknown users are an error.
    """
    from tqdm import tqdm

    from hashgnn.recommender.folder import load_model

    model = load_model(folder)
    queried = [decode_argument(id_, "--user") for id_ in named]
    queried += [] if users is None else read_lines(users)
    if not named and users is None:
        queried = model.user_ids.text.tolist()
    typed = model.user_ids.at(model.user_ids.rows(queried, "user")).tolist()  # text or integers
    number, candidates = (min(size, len(model.item_ids)) for size in (number, candidates))
    step = max(1, min(_BLOCK, _ITEMS // max(number, candidates)))
    with open_output(output) as file, tqdm(total=len(queried), unit="user", disable=None) as bar:
        if layout == "csv":
            file.write("user,item,rank,score\n")
        for start in range(0, len(queried), step):
            block = queried[start : start + step]
            found = model.recommend(block, number, search, not include_known, candidates)
            if layout == "csv":
                found.to_csv(file, index=False, header=False, lineterminator="\n")
            else:
                _write_lines(file, typed[start : start + step], found)
            bar.update(len(block))


def _write_lines(file: IO[str], users: Sequence[Any], found: Any) -> None:  # a data frame
    """Write a JSON line per user; the rows of a user, if any, are consecutive in ``found``."""
    lists = [rows for _, rows in found.groupby((found["rank"] == 1).cumsum())]
    lists.reverse()
    for user in users:
        rows = lists.pop() if lists and lists[-1]["user"].iloc[0] == user else found[:0]
        # The shortest text of the float32; that of the equal float64 is longer.
        numbers = [json.loads(str(score)) for score in rows["score"].to_numpy()]
        line = {"user": user, "items": rows["item"].tolist(), "scores": numbers}
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
