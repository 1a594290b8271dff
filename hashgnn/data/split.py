"""Stage 3: split the interactions of each user into training, validation and test.

Settings: ``by`` and what goes with it, ``validation`` (a share of the training part), ``seed``.
  random  {test: share}                   each user's test items at random
  time    {test: share}                   each user's latest
          {test_from: ISO 8601}           all from that time on
          {test_days: n}                  all of the last n times 24 hours
  file    {test: [positions]}             those first seen in these of the data set's files
A share of n interactions is n * share, rounded half up. Every user keeps at least one training
interaction: the one that would have come last into the test part. Validation takes the latest
training interactions if ``by`` is time, random ones otherwise; it, too, leaves at least one.
The draw for a user depends on the seed and on the text of the user's and the items' ids alone, not
on other users and items or on the order of the rows.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hashgnn.config.timestamps import parse_moment
from hashgnn.data.interactions import PARTS, Interactions, Split, load_interactions, save_split
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
    result = split(load_interactions(args.interactions), args.settings)
    if not len(result.test.indices):
        raise InputError("split: no interaction is tested: every user has too few for split.test")
    save_split(args.output, result)
    sizes = {part: len(getattr(result, part).indices) for part in PARTS}
    unseen = result.n_items - len(np.unique(result.train.indices))
    return {**sizes, "items_unseen_in_training": unseen}


def split(interactions: Interactions, settings: Mapping[str, Any]) -> Split:
    """Split ``interactions``; ``InputError`` if they lack the times or files that this needs."""
    _check(settings)
    order = _order(interactions, settings)
    sizes = np.bincount(interactions.user, minlength=interactions.n_users)
    place = _places(interactions.user, order, sizes)
    tested = np.minimum(_test_sizes(interactions, settings, sizes), sizes - 1)
    validated = _share(settings["validation"], sizes - tested)
    validated = np.minimum(validated, sizes - tested - 1)
    test = place < tested[interactions.user]
    train = place >= (tested + validated)[interactions.user]
    return Split(
        interactions.csr(train),
        interactions.csr(~test & ~train),
        interactions.csr(test),
        interactions.n_users,
        interactions.n_items,
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
        keys.append(~_in_files(interactions, settings["test"]))
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
        tested = _in_files(interactions, settings["test"])
    elif settings["by"] == "time" and "test" not in settings:
        tested = _time(interactions) >= _cut(interactions, settings)
        if not tested.any() or tested.all():
            raise InputError(f"split: {tested.sum():,} of {len(tested):,} interactions are test")
    else:
        return _share(settings["test"], sizes)
    return np.bincount(interactions.user[tested], minlength=interactions.n_users)


def _share(share: float, sizes: np.ndarray) -> np.ndarray:
    # The small number corrects products such as 0.29 * 50, which is a little below 14.5.
    return np.floor(share * sizes + 0.5 + 1e-9).astype(np.int64)


def _cut(interactions: Interactions, settings: Mapping[str, Any]) -> float:
    """Return the time from which on all is test, in seconds since 1970."""
    if "test_days" in settings:
        return float(_time(interactions).max()) - settings["test_days"] * _DAY + 1
    return parse_moment(settings["test_from"], "split.test_from")


def _time(interactions: Interactions) -> np.ndarray:
    if interactions.time is None:
        raise InputError("split by time: the data set has no times; set columns.time")
    return interactions.time


def _in_files(interactions: Interactions, files: Sequence[int]) -> np.ndarray:
    if interactions.source is None:
        raise InputError("split by file: the data set has only one file")
    if unknown := set(files) - set(np.unique(interactions.source).tolist()):
        raise InputError(f"split.test: no interactions from file {', '.join(map(str, unknown))}")
    return np.isin(interactions.source, files)


if __name__ == "__main__":
    sys.exit(main())
