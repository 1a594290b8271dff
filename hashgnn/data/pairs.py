"""From rows as read to unique pairs, and the minimum-interaction filter."""

from typing import NamedTuple

import numpy as np


class Pairs(NamedTuple):
    """(user, item) pairs with what is known of each; all arrays are [pairs]."""

    user: np.ndarray  # int32
    item: np.ndarray  # int32
    time: np.ndarray | None  # int64 seconds
    source: np.ndarray | None  # int16

    def take(self, rows: np.ndarray) -> "Pairs":
        """The pairs at ``rows``: indices, or a bool mask."""
        time = None if self.time is None else self.time[rows]
        source = None if self.source is None else self.source[rows]
        return Pairs(self.user[rows], self.item[rows], time, source)


def unique_pairs(pairs: Pairs) -> Pairs:
    """Each pair once, sorted by user, then item, with the least time and source of its repeats."""
    n_items = int(pairs.item.max()) + 1
    key = pairs.user * np.int64(n_items) + pairs.item
    order = None
    if pairs.time is None and pairs.source is None:
        key.sort()
    else:
        order = np.argsort(key)
        key = key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    user, item = np.divmod(key[first], n_items)
    return Pairs(
        user.astype(np.int32),
        item.astype(np.int32),
        _least(pairs.time, order, first),
        _least(pairs.source, order, first),
    )


def _least(
    column: np.ndarray | None, order: np.ndarray | None, first: np.ndarray
) -> np.ndarray | None:
    return None if column is None else np.minimum.reduceat(column[order], first)


def keep_frequent(pairs: Pairs, of_user: int, of_item: int) -> Pairs:
    """Drop users with fewer than ``of_user`` pairs and items with fewer than ``of_item``.

    Dropping the one makes the other rarer, so this goes on until both hold (the k-core).
    """
    while len(pairs.user):
        enough = np.bincount(pairs.user)[pairs.user] >= of_user
        enough &= np.bincount(pairs.item)[pairs.item] >= of_item
        if enough.all():
            break
        pairs = pairs.take(enough)
    return pairs


def renumber(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Close the gaps: numbers 0 to n - 1 in the same order (int32), and the old number of each."""
    present = np.zeros(int(numbers.max()) + 1, dtype=bool)
    present[numbers] = True
    new = np.cumsum(present, dtype=np.int32) - np.int32(1)
    return new[numbers], np.flatnonzero(present)
