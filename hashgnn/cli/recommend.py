"""``hashgnn recommend``: users in, items with scores out."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from hashgnn.cli.options import FOLDER
from hashgnn.cli.streams import as_typed, open_output, read_lines

_BLOCK = 2048  # users at a time, and
_ITEMS = 1 << 24  # items for them at most: bounds the memory


@click.command()
@FOLDER
@click.option("--user", "named", multiple=True, metavar="ID", help="A user; may be repeated.")
@click.option(
    "--users",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Users, an id a line, in UTF-8; - is standard input. [default: all users]",
)
@click.option(
    "--number",
    "-n",
    default=10,
    show_default=True,
    type=click.IntRange(1),
    help="Items for each user.",
)
@click.option(
    "--search",
    default="hierarchical",
    show_default=True,
    type=click.Choice(["hierarchical", "hamming", "continuous"]),
    help="By code with a re-rank by vector, by code alone, or by vector alone.",
)
@click.option(
    "--candidates",
    default=500,
    show_default=True,
    type=click.IntRange(1),
    help="Items that hierarchical search re-ranks.",
)
@click.option("--include-known", is_flag=True, help="Do not leave out what a user already has.")
@click.option(
    "--format",
    "layout",
    default="csv",
    show_default=True,
    type=click.Choice(["csv", "jsonl"]),
    help="A row an item, or a JSON object a user.",
)
@click.option(
    "--output",
    default="-",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Where to write. [default: standard output]",
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
    """Recommend items to users, by the model in FOLDER.

    CSV has the columns user, item, rank and score; a JSON line is {"user": ..., "items": [...],
    "scores": [...]}. Users come in the order in which they are named, and as often; one for whom
    nothing is left has empty lists. Hamming search scores by the inner product of the codes, the
    others by that of the vectors. Unknown users are an error.
    """
    from tqdm import tqdm

    from hashgnn.recommender.folder import load_model

    model = load_model(folder)
    wanted = [as_typed(id_, "--user") for id_ in named]
    wanted += [] if users is None else read_lines(users)
    if not named and users is None:
        wanted = model.user_ids.text.tolist()
    as_they_came = model.user_ids.at(model.user_ids.rows(wanted, "user")).tolist()
    # More than there are is all there are, without room for more.
    number, candidates = (min(most, len(model.item_ids)) for most in (number, candidates))
    step = max(1, min(_BLOCK, _ITEMS // max(number, candidates)))
    with open_output(output) as file, tqdm(total=len(wanted), unit="user", disable=None) as bar:
        if layout == "csv":
            file.write("user,item,rank,score\n")
        for start in range(0, len(wanted), step):
            block = wanted[start : start + step]
            found = model.recommend(block, number, search, not include_known, candidates)
            if layout == "csv":
                found.to_csv(file, index=False, header=False, lineterminator="\n")
            else:
                _write_lines(file, as_they_came[start : start + step], found)
            bar.update(len(block))


def _write_lines(file: IO[str], users: Sequence[Any], found: Any) -> None:  # a data frame
    """A line for each of ``users``, whose rows follow each other in ``found``, if it has any."""
    lists = [rows for _, rows in found.groupby((found["rank"] == 1).cumsum())]
    lists.reverse()
    for user in users:
        rows = lists.pop() if lists and lists[-1]["user"].iloc[0] == user else found[:0]
        # The shortest text that reads back as the same float32, not that of its double.
        numbers = [json.loads(str(score)) for score in rows["score"].to_numpy()]
        line = {"user": user, "items": rows["item"].tolist(), "scores": numbers}
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
