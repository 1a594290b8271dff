"""Stage 2: read the raw files, filter, and number users and items.

Settings: ``dataset``; ``reader`` (a key of ``READERS``, with settings of its own: ``columns``,
``format``, ``generator``); ``filter`` {user_interactions, item_interactions, and the filters of
the reader}. Repeats of a pair count once. Users and items are numbered in the order of their ids.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from hashgnn.data.interactions import (
    MOST_FILES,
    Batch,
    Interactions,
    Pairs,
    id_keys,
    keep_frequent,
    number_ids,
    renumber,
    save_ids,
    save_interactions,
    unique_pairs,
)
from hashgnn.data.readers import sources
from hashgnn.errors import InputError
from hashgnn.stage.command import run_stage, stage_parser

# Each reader by its name in the config: module and function. Imported by name, so that an edit of
# one reader makes nothing stale that another reader has read.
READERS = {
    "adjacency": "hashgnn.data.readers:read_adjacency",
    "synthetic": "hashgnn.data.synthetic:generate",
    "table": "hashgnn.data.readers:read_table",
}

Reader = Callable[[Sequence[Path], Mapping[str, Any]], Iterator[Batch]]


class Prepared(NamedTuple):
    """Interactions, the ids of their users and items, and the numbers of rows of each kind."""

    interactions: Interactions
    user_ids: pa.Array  # string [users]
    item_ids: pa.Array  # string [items]
    rows_read: int
    rows_kept: int  # by the filters of rows
    repeats: int  # kept rows beyond the first of their user and item


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line; return the exit status."""
    parser = stage_parser(__doc__)
    parser.add_argument("--inputs", type=Path, nargs="*", default=[], help="raw files")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--users", type=Path, required=True, help="CSV of the users' ids")
    parser.add_argument("--items", type=Path, required=True, help="CSV of the items' ids")
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> dict[str, object]:
    prepared = prepare(args.inputs, args.settings)
    save_ids(args.users, prepared.user_ids)
    save_ids(args.items, prepared.item_ids)
    save_interactions(args.output, prepared.interactions)
    return {
        "rows_read": prepared.rows_read,
        "rows_kept": prepared.rows_kept,
        "repeats": prepared.repeats,
        "interactions": len(prepared.interactions.user),
        "users": prepared.interactions.n_users,
        "items": prepared.interactions.n_items,
    }


def prepare(paths: Sequence[Path], settings: Mapping[str, Any]) -> Prepared:
    """Read ``paths``, filter, and number users and items.

    Raises:
        InputError: the files cannot be read as ``settings`` say, or the filters leave nothing.
    """
    names = tuple(source.name for source in sources(paths, settings))
    users, items, pairs, rows_read = _read(paths, settings, len(names))
    rows_kept = len(pairs.user)
    unique = unique_pairs(pairs)
    keep = settings.get("filter", {})
    pairs = keep_frequent(
        unique, keep.get("user_interactions") or 1, keep.get("item_interactions") or 1
    )
    if not len(pairs.user):
        raise _nothing_left(settings, "interactions", len(unique.user))
    user, old_user = renumber(pairs.user)
    item, old_item = renumber(pairs.item)
    users, items = users.take(old_user), items.take(old_item)
    sizes, keys = (len(users), len(items)), (id_keys(users), id_keys(items))
    told_apart = () if pairs.files is None else names
    known = pairs.time, pairs.files
    interactions = Interactions(
        user, item, *sizes, *keys, *known, file_names=told_apart, weight=pairs.weight
    )
    repeats = rows_kept - len(unique.user)
    return Prepared(interactions, users, items, rows_read, rows_kept, repeats)


def _read(
    paths: Sequence[Path], settings: Mapping[str, Any], n_files: int
) -> tuple[pa.Array, pa.Array, Pairs, int]:
    """Return the ids of users and of items, the pairs of their numbers, and the rows read."""
    batches = list(_reader(settings["reader"])(paths, settings))
    rows_read = sum(batch.rows for batch in batches)
    if not any(len(batch.user) for batch in batches):
        raise _nothing_left(settings, "rows", rows_read)
    users = number_ids([batch.user for batch in batches])
    items = number_ids([batch.item for batch in batches])
    weights = [batch.weight for batch in batches if batch.weight is not None]
    pairs = Pairs(
        users.numbers,
        items.numbers,
        _times(batches),
        _files(batches, n_files),
        np.concatenate(weights) if weights else None,
    )
    return users.ids, items.ids, pairs, rows_read


def _reader(name: str) -> Reader:
    if name not in READERS:
        raise InputError(f"reader {name!r}: expected one of {', '.join(READERS)}")
    module, function = READERS[name].split(":")
    reader: Reader = getattr(importlib.import_module(module), function)
    return reader


def _times(batches: Sequence[Batch]) -> np.ndarray | None:
    times = [batch.time for batch in batches if batch.time is not None]
    return np.concatenate(times) if times else None


def _files(batches: Sequence[Batch], count: int) -> np.ndarray | None:
    """Return the bit of each row's file; None for one file and for more than ``MOST_FILES``."""
    if not 1 < count <= MOST_FILES:
        return None
    bits = [1 << batch.source for batch in batches]
    kind = np.min_scalar_type((1 << count) - 1)
    return np.repeat(np.array(bits, kind), [len(batch.user) for batch in batches])


def _nothing_left(settings: Mapping[str, Any], what: str, count: int) -> InputError:
    keep = {key: value for key, value in settings.get("filter", {}).items() if value is not None}
    if not count:
        return InputError(f"{settings['dataset']}: the data hold no interactions")
    return InputError(
        f"{settings['dataset']}: filter {json.dumps(keep)} leaves nothing of {count:,} {what}; "
        "loosen it"
    )


if __name__ == "__main__":
    sys.exit(main())
