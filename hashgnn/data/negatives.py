"""Stage 4: negatives for each training interaction.

Settings: ``per_interaction`` (negatives of each interaction), ``rounds`` (independent draws, for
as many passes over the data), ``seed``. A negative is an item that the user has no training
interaction with, each equally likely, with replacement.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hashgnn.data.interactions import Csr, Split, load_split
from hashgnn.errors import InputError
from hashgnn.files import atomic_write
from hashgnn.kernels import mix, njit
from hashgnn.random import GOLDEN
from hashgnn.stage.command import run_stage, stage_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line; return the exit status."""
    parser = stage_parser(__doc__)
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> dict[str, object]:
    split = load_split(args.split)
    with atomic_write(args.output) as temporary:
        shape = write_negatives(temporary, split, **args.settings)
    return {"negatives": int(np.prod(shape))}


def write_negatives(
    path: Path, split: Split, per_interaction: int, rounds: int, seed: int
) -> tuple[int, ...]:
    """Draw the negatives of ``split``, write them as ``.npy``, and return their shape.

    The array is int32 [rounds, training interactions, per_interaction].

    Raises:
        InputError: a user has training interactions with all items.
    """
    _check_room(split.train, split.n_items)
    shape = (rounds, len(split.train.indices), per_interaction)
    # Round by round into the file: all rounds together may exceed the memory.
    output = np.lib.format.open_memmap(path, "w+", np.int32, shape)
    _reserve(path)
    for number in range(rounds):
        draw_negatives(*split.train, split.n_items, seed, number, output[number])
    output.flush()
    return shape


def _reserve(path: Path) -> None:
    """Allocate the file on disk: writing to a mapped file on a full disk kills the process."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _check_room(train: Csr, n_items: int) -> None:
    full = np.flatnonzero(np.diff(train.indptr) >= n_items)
    if len(full):
        raise InputError(
            f"user {full[0]} has training interactions with all {n_items} items: no negative "
            "exists; raise filter.item_interactions or leave such users out"
        )


@njit(cache=True)
def _absent(items, n):  # type: ignore[no-untyped-def]
    """Return the ``n``-th (from 0) of the numbers that are not in ``items``, which ascend."""
    low, high = 0, len(items)
    while low < high:  # find the first place with more than n absent numbers before it
        middle = (low + high) // 2
        if items[middle] - middle > n:
            high = middle
        else:
            low = middle + 1
    return n + low


@njit(cache=True)
def draw_negatives(
    indptr: np.ndarray,
    indices: np.ndarray,
    n_items: int,
    seed: int,
    round_: int,
    output: np.ndarray,
) -> None:
    """Fill ``output`` int32 [interactions, n] with items absent from the row's user.

    Each is a function of seed, round and position in ``output``, whatever the order of drawing.
    The draw is exact and needs no rejection, however many items a user has.
    """
    start = mix(mix(np.uint64(seed)) + np.uint64(round_))
    for user in range(len(indptr) - 1):
        items = indices[indptr[user] : indptr[user + 1]]
        for row in range(indptr[user], indptr[user + 1]):
            _fill(output[row], items, n_items, start, row)


@njit(cache=True)
def _fill(output, items, n_items, start, row):  # type: ignore[no-untyped-def]
    """Fill ``output`` [n] with the negatives of a row, whose user has ``items``."""
    absent = np.uint64(n_items - len(items))
    for column in range(len(output)):
        counter = np.uint64(row * len(output) + column + 1)
        bits = mix(start + counter * GOLDEN)
        output[column] = _absent(items, np.int64(bits % absent))


@njit(cache=True)
def _draw_rows(
    indptr: np.ndarray,
    indices: np.ndarray,
    n_items: int,
    seed: int,
    round_: int,
    rows: np.ndarray,
    output: np.ndarray,
) -> None:
    """Fill ``output`` int32 [rows, n] with what ``draw_negatives`` draws for these rows."""
    start = mix(mix(np.uint64(seed)) + np.uint64(round_))
    for place in range(len(rows)):
        user = np.searchsorted(indptr, rows[place], side="right") - 1
        items = indices[indptr[user] : indptr[user + 1]]
        _fill(output[place], items, n_items, start, rows[place])


class DrawnNegatives:
    """The negatives that ``write_negatives`` would write, drawn when they are asked for.

    ``negatives[round, rows]`` is int32 [rows, per_interaction].

    Raises:
        InputError: a user has training interactions with all items.
    """

    def __init__(self, split: Split, per_interaction: int, rounds: int, seed: int) -> None:
        _check_room(split.train, split.n_items)
        self.shape = rounds, len(split.train.indices), per_interaction
        self._split = split
        self._seed = seed

    def __len__(self) -> int:
        """Return the number of rounds."""
        return self.shape[0]

    def __getitem__(self, place: tuple[int, np.ndarray]) -> np.ndarray:
        """Return the negatives of some rows in a round."""
        round_, rows = place
        output = np.empty((len(rows), self.shape[2]), np.int32)
        train, n_items = self._split.train, self._split.n_items
        _draw_rows(*train, n_items, self._seed, round_, rows, output)
        return output


if __name__ == "__main__":
    sys.exit(main())
