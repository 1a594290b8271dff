"""The file of times: a row for each search and round."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from hashgnn.errors import InputError
from hashgnn.files import atomic_write
from hashgnn.timing.rounds import Round

CASE = (
    *("dataset", "model", "bits", "users", "items", "k", "candidates", "threads"),
    *("seed", "search"),
)
COLUMNS = (*CASE, "round", "seconds", "busy")


def write_times(
    path: Path, times: Mapping[str, Sequence[Round]], case: Mapping[str, object]
) -> None:
    """``times``: the rounds of each search; ``case``: what ``CASE`` names, and maybe more."""
    shared = {key: case[key] for key in CASE if key in case}
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for search, rounds in times.items():
            for number, each in enumerate(rounds):
                writer.writerow({**shared, "search": search, "round": number, **each._asdict()})


def read_times(paths: Iterable[Path]) -> pd.DataFrame:
    """All rows of several files; ``InputError`` names one that is no such table."""
    frames = []
    for path in paths:
        frame = pd.read_csv(path)
        if tuple(frame.columns) != COLUMNS:
            raise InputError(f"{path}: expected the columns {', '.join(COLUMNS)}; time again")
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
