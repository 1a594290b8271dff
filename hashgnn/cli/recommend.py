"""``hashgnn recommend``: users in, items with scores out."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from hashgnn.cli.options import FOLDER
from hashgnn.files import atomic_write

_BLOCK = 2048  # users at a time: bounds the memory


@click.command()
@FOLDER
@click.option("--user", "named", multiple=True, metavar="ID", help="A user; may be repeated.")
@click.option(
    "--users",
    type=click.File(encoding="utf-8"),
    metavar="FILE",
    help="Users, an id a line; - is standard input. [default: all users]",
)
@click.option("--number", "-n", default=10, show_default=True, help="Items for each user.")
@click.option(
    "--search",
    default="hierarchical",
    show_default=True,
    type=click.Choice(["hierarchical", "hamming", "continuous"]),
    help="By code with a re-rank by vector, by code alone, or by vector alone.",
)
@click.option(
    "--candidates", default=500, show_default=True, help="Items that hierarchical search re-ranks."
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
    users: IO[str] | None,
    layout: str,
    output: str,
    number: int,
    search: Any,
    candidates: int,
    include_known: bool,
) -> None:
    """Recommend items to users, by the model in FOLDER.

    CSV has the columns user, item, rank and score; a JSON line is {"user": ..., "items": [...],
    "scores": [...]}. Hamming search scores by the inner product of the codes, the others by that of
    the vectors. Unknown users are an error.
    """
    from tqdm import tqdm

    from hashgnn.recommender.folder import load_model

    model = load_model(folder)
    wanted = [*named, *_ids(users)] if named or users else model.user_ids.text.tolist()
    model.user_ids.rows(wanted, "user")  # refused before anything is written
    with _opened(output) as file, tqdm(total=len(wanted), unit="user", disable=None) as bar:
        for start in range(0, len(wanted), _BLOCK):
            block = wanted[start : start + _BLOCK]
            found = model.recommend(block, number, search, not include_known, candidates)
            if layout == "csv":
                found.to_csv(file, index=False, header=start == 0, lineterminator="\n")
            else:
                _write_lines(file, found)
            bar.update(len(block))


def _ids(file: IO[str] | None) -> Iterator[str]:
    return (line.rstrip("\r\n") for line in file or () if line.strip())


@contextmanager
def _opened(output: str) -> Iterator[IO[str]]:
    """Standard output, or a file that is whole or not there."""
    if output == "-":
        yield sys.stdout
        return
    with atomic_write(Path(output)) as temporary, temporary.open("w", encoding="utf-8") as file:
        yield file


def _write_lines(file: IO[str], found: Any) -> None:  # a data frame
    for user, rows in found.groupby("user", sort=False):
        items, scores = rows["item"].tolist(), rows["score"].to_numpy()
        # The shortest text that reads back as the same float32, not that of its double.
        numbers = [json.loads(str(score)) for score in scores]
        line = {"user": user, "items": items, "scores": numbers}
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
