"""Stage 3: split the interactions of each user into training, validation and test.

Settings: ``by`` and what goes with it, ``validation`` (a share of the training part), ``seed``.
  random  {test: share}                   each user's test items at random
  time    {test: share}                   each user's latest
          {test_from: ISO 8601}           all from that time on, the same for all users
          {test_days: n}                  all of the last n times 24 hours
  file    {test: file or files}           those first seen in these files of the data set
          {validation: file or files}     those of the training part that these files hold, too
A share of n interactions is n * share, rounded half up. Every user keeps at least one training
interaction: the one that would have come last into the test part. With one time for all users,
nothing after it is used for training: users without earlier interactions are in no part, items
without them only in test. Validation takes the latest training interactions if ``by`` is time,
random ones otherwise; it, too, leaves at least one.
The draw for a user depends on the seed and on the text of the user's and the items' ids alone, not
on other users and items or on the order of the rows.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from hashgnn.config.data_sets import parse_moment
from hashgnn.data.interactions import (
    MOST_FILES,
    PARTS,
    Interactions,
    Split,
    load_interactions,
    save_split,
)
from hashgnn.errors import InputError
from hashgnn.random import random_bits
from hashgnn.stage.command import run_stage, stage_parser

_DAY = 86_400  # seconds
_PAIRS, _USERS = range(2)  # streams of random numbers


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line; return the exit status."""
    parser = stage_parser(__doc__)
    parser.add_argument("--interactions", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> dict[str, object]:
    _check_share(args.settings)
    interactions = load_interactions(args.interactions)
    result = split(interactions, args.settings)
    if not len(result.test.indices):
        raise InputError(
            "split: no interaction is tested: every user has too few for split.test, or none "
            "before the time that divides them"
        )
    save_split(args.output, result)
    sizes = {part: len(getattr(result, part).indices) for part in PARTS}
    facts = {**sizes, **_unseen(interactions, result)}
    print("; ".join(f"{name.replace('_', ' ')}: {number:,}" for name, number in facts.items()))
    return {**facts}


def _unseen(interactions: Interactions, result: Split) -> dict[str, int]:
    """Count what training has not seen: users, items, and interactions with these."""
    seen = np.zeros(result.n_items, dtype=bool)
    seen[result.train.indices] = True
    parts = sum(len(getattr(result, part).indices) for part in PARTS)
    return {
        "users_unseen_in_training": int((np.diff(result.train.indptr) == 0).sum()),
        "interactions_of_unseen_users": len(interactions.user) - parts,
        "items_unseen_in_training": int((~seen).sum()),
        "test_interactions_with_unseen_items": int((~seen[result.test.indices]).sum()),
    }


def split(interactions: Interactions, settings: Mapping[str, Any]) -> Split:
    """Split ``interactions``.

    Raises:
        InputError: they lack the times or files that ``settings`` name.
    """
    _check(settings)
    order = _order(interactions, settings)
    sizes = np.bincount(interactions.user, minlength=interactions.n_users)
    place = _places(interactions.user, order, sizes)
    tested = _test_sizes(interactions, settings, sizes)
    if not _at_one_time(settings):
        tested = np.minimum(tested, sizes - 1)
    validated = _validation_sizes(interactions, settings, sizes - tested)
    test = place < tested[interactions.user]
    train = place >= (tested + validated)[interactions.user]
    validated_rows = ~test & ~train
    unseen = (tested == sizes)[interactions.user]
    weight = interactions.weight
    return Split(
        interactions.csr(train),
        interactions.csr(validated_rows),
        interactions.csr(test & ~unseen),
        interactions.n_users,
        interactions.n_items,
        None if weight is None else weight[train],
        None if weight is None else weight[validated_rows],
    )


def _check_share(settings: Mapping[str, Any]) -> None:
    """Refuse shares that leave nothing to test or to train on."""
    test = settings.get("test", 0.5)
    if settings["by"] != "file" and not (isinstance(test, float | int) and 0 < test < 1):
        raise InputError(f"split.test: expected a share between 0 and 1, got {test!r}")


def _check(settings: Mapping[str, Any]) -> None:
    needed = {"time": ("test", "test_from", "test_days")}.get(settings["by"], ("test",))
    if sum(key in settings for key in needed) != 1:
        raise InputError(f"split by {settings['by']}: set one of {', '.join(needed)}")


def _at_one_time(settings: Mapping[str, Any]) -> bool:
    """Return whether one time divides the interactions of all users."""
    return settings["by"] == "time" and "test" not in settings


def _order(interactions: Interactions, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the rows by user, and within a user in the order in which they leave training.

    Random keys depend on the seed and the ids of user and item alone, not on other users, items
    and interactions: each user has a stream of numbers, and the item's key selects one.
    """
    stream = random_bits(settings["seed"], _USERS, interactions.user_key)[interactions.user]
    stream += interactions.item_key[interactions.item]
    keys = [random_bits(settings["seed"], _PAIRS, stream)]
    if settings["by"] == "time":
        keys.append(-_time(interactions))
    elif settings["by"] == "file":
        keys.append(~_validated(interactions, settings))
        keys.append(~_tested(interactions, settings))
    return np.lexsort([*keys, interactions.user])


def _places(user: np.ndarray, order: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the position of each row within its user (int64, from 0) in ``order``."""
    start = np.cumsum(sizes) - sizes
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - start[user[order]]
    return place


def _test_sizes(
    interactions: Interactions, settings: Mapping[str, Any], sizes: np.ndarray
) -> np.ndarray:
    if settings["by"] == "file":
        tested = _tested(interactions, settings)
    elif _at_one_time(settings):
        tested = _time(interactions) >= _cut(interactions, settings)
    else:
        return _share(settings["test"], sizes)
    return np.bincount(interactions.user[tested], minlength=interactions.n_users)


def _validation_sizes(
    interactions: Interactions, settings: Mapping[str, Any], rest: np.ndarray
) -> np.ndarray:
    """Return the validation interactions of each user, who has ``rest`` besides test."""
    validation = settings["validation"]
    if isinstance(validation, int | float):
        validated = _share(validation, rest)
    else:
        rows = _validated(interactions, settings)
        validated = np.bincount(interactions.user[rows], minlength=interactions.n_users)
    return np.minimum(validated, np.maximum(rest - 1, 0))


def _share(share: float, sizes: np.ndarray) -> np.ndarray:
    # The small number corrects products such as 0.29 * 50, which is a little below 14.5.
    return np.floor(share * sizes + 0.5 + 1e-9).astype(np.int64)


def _cut(interactions: Interactions, settings: Mapping[str, Any]) -> float:
    """Return the time from which on all is test, in seconds since 1970."""
    times = _time(interactions)
    first, last = int(times.min()), int(times.max())
    if "test_days" in settings:
        key, cut = "test_days", float(last) - settings["test_days"] * _DAY + 1
    else:
        key, cut = "test_from", parse_moment(settings["test_from"], "split.test_from")
    if not first < cut <= last:
        span = " to ".join(datetime.fromtimestamp(time, UTC).isoformat() for time in (first, last))
        raise InputError(
            f"split.{key}: {settings[key]!r} leaves one part empty: the data reach from {span}"
        )
    return cut


def _time(interactions: Interactions) -> np.ndarray:
    if interactions.time is None:
        raise InputError("split by time: the data set has no times; set columns.time")
    return interactions.time


def _tested(interactions: Interactions, settings: Mapping[str, Any]) -> np.ndarray:
    """Return which interactions were first seen in a test file, bool [interactions]."""
    tested = _bits(interactions, "test", settings["test"])
    files = _files(interactions)
    first = files & (~files + files.dtype.type(1))  # the lowest bit
    return (first & tested) != 0


def _validated(interactions: Interactions, settings: Mapping[str, Any]) -> np.ndarray:
    """Return which interactions outside test a validation file holds, bool [interactions]."""
    if isinstance(settings["validation"], int | float):
        return np.zeros(len(interactions.user), dtype=bool)
    chosen = _bits(interactions, "validation", settings["validation"])
    files = _files(interactions)
    validated = (files & chosen) != 0
    training = files & ~(chosen | _bits(interactions, "test", settings["test"]))
    if strangers := int((validated & (training == 0)).sum()):
        raise InputError(
            f"split.validation: {strangers:,} of {int(validated.sum()):,} interactions of "
            f"{_listed(settings['validation'])} are in no training file; a validation file holds a "
            "part of the training interactions"
        )
    return validated & ~_tested(interactions, settings)


def _files(interactions: Interactions) -> np.ndarray:
    if interactions.files is None:
        raise InputError(
            f"split by file: expected a data set of 2 to {MOST_FILES} files; use another split"
        )
    return interactions.files


def _bits(interactions: Interactions, key: str, names: str | Sequence[str]) -> Any:
    """Return a number with the bits of the named files set, of the type of ``files``."""
    files, known = _files(interactions), interactions.file_names
    chosen = [names] if isinstance(names, str) else names
    if unknown := [name for name in chosen if name not in known]:
        raise InputError(
            f"split.{key}: no file {_listed(unknown)}; the files are {', '.join(known)}"
        )
    return files.dtype.type(sum(1 << known.index(name) for name in set(chosen)))


def _listed(names: str | Sequence[str]) -> str:
    return names if isinstance(names, str) else ", ".join(map(str, names))


if __name__ == "__main__":
    sys.exit(main())
