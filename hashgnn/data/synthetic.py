"""Generate a data set from a topic model: skewed popularity, behaviors over several days.

Settings: ``generator`` {users, items, interactions, seed, topics, topics_per_user, skew, chance,
least, days, behaviors: {name: share}}; ``filter`` {behaviors: [...]}. No file is read.
``least`` is the fewest interactions of a user. ``skew`` is Zipf's exponent of popularity.
``chance`` is the share of interactions that follow popularity alone.

Each user has a few topics, the first one preferred; each topic has items, drawn by popularity.
The matrix of expected interactions therefore has a rank of about the number of topics, popularity
explains a part of it, and ``chance`` bounds what any method can reach.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hashgnn.data.ids import Batch
from hashgnn.errors import InputError
from hashgnn.kernels import mix, njit
from hashgnn.random import GOLDEN, random_bits, uniform


@njit(cache=True)
def _uniform(state):  # type: ignore[no-untyped-def]
    """The next number from [0, 1); ``state``: uint64 [1], moved on."""
    state[0] += GOLDEN
    return np.float64(mix(state[0]) >> np.uint64(11)) * 2.0**-53


@njit(cache=True)
def draw_items(
    indptr: np.ndarray,
    favorites: np.ndarray,
    topic_start: np.ndarray,
    topic_items: np.ndarray,
    topic_mass: np.ndarray,
    n_items: int,
    chance: float,
    seed: int,
) -> np.ndarray:
    """Draw distinct items for each user: int32 [indptr[-1]], row u at indptr[u]:indptr[u + 1].

    ``favorites`` int [users, m]: topics, each half as likely as the one before. Topic t holds
    ``topic_items[topic_start[t]:topic_start[t + 1]]`` with running sums of popularity in
    ``topic_mass``; the last topic holds every item and is drawn from with probability ``chance``.
    """
    items = np.empty(indptr[-1], dtype=np.int32)
    taken_by = np.full(n_items, -1, dtype=np.int64)
    state = np.empty(1, dtype=np.uint64)
    everything = len(topic_start) - 2
    for user in range(len(indptr) - 1):
        state[0] = mix(mix(np.uint64(seed)) + np.uint64(user))
        misses = 0
        at = indptr[user]
        while at < indptr[user + 1]:
            topic = everything
            if _uniform(state) >= chance:
                favorite = np.int64(-np.log2(1.0 - _uniform(state)))
                topic = favorites[user, min(favorite, favorites.shape[1] - 1)]
            low, high = topic_start[topic], topic_start[topic + 1]
            base = topic_mass[low - 1] if low else 0.0
            mass = base + _uniform(state) * (topic_mass[high - 1] - base)
            place = low + np.searchsorted(topic_mass[low:high], mass, side="right")
            item = topic_items[min(place, high - 1)]
            # A user who has nearly all items of its topics takes the next free item.
            while misses > 50 and taken_by[item] == user:
                item = (item + 1) % n_items
            if taken_by[item] == user:
                misses += 1
                continue
            misses = 0
            taken_by[item] = user
            items[at] = item
            at += 1
    return items


_FIRST_DAY = 1_511_568_000  # 2017-11-25, 00:00 UTC
_DAY = 86_400  # seconds
_DEFAULTS = {
    "seed": 0,
    "topics": 32,
    "topics_per_user": 4,
    "skew": 0.7,
    "chance": 0.1,
    "least": 10,
    "days": 7,
    "behaviors": None,
}
# Streams of random numbers, one for each quantity drawn.
_POPULARITY, _TOPIC, _SECOND, _FAVORITE, _RADIUS, _ANGLE, _LEFT, _TIME, _BEHAVIOR = range(9)


def generate(paths: Sequence[Path], settings: Mapping[str, Any]) -> Iterator[Batch]:
    """Yield the data set as one batch; ``InputError`` if the sizes cannot be met."""
    if paths:
        raise InputError("reader synthetic reads no files")
    given = {**_DEFAULTS, **settings["generator"]}
    check_sizes(given)
    degrees = _degrees(given)
    indptr = np.concatenate([[0], np.cumsum(degrees)])
    favorites = random_bits(
        given["seed"], _FAVORITE, np.arange(given["users"] * given["topics_per_user"])
    )
    favorites = (favorites % np.uint64(given["topics"])).reshape(given["users"], -1)
    items = draw_items(
        indptr,
        favorites.astype(np.int64),
        *_topics(given),
        given["items"],
        given["chance"],
        given["seed"],
    )
    users = np.repeat(np.arange(given["users"], dtype=np.int32), degrees)
    share = uniform(given["seed"], _TIME, len(items))
    yield batch_of(users, items, share, given, settings.get("filter", {}))


def check_sizes(given: Mapping[str, Any]) -> None:
    """Raise ``InputError`` for more interactions, or fewer, than users can have."""
    users, items, interactions = given["users"], given["items"], given["interactions"]
    if not users <= interactions <= users * max(items // 2, 1):
        raise InputError(
            f"generator: {interactions:,} interactions do not fit {users:,} users, who have at "
            f"least one and at most half of {items:,} items each"
        )


def _degrees(given: Mapping[str, Any]) -> np.ndarray:
    """Return the interactions of each user, int64: log-normal above ``least``, exact in total."""
    users = given["users"]
    radius = np.sqrt(-2.0 * np.log1p(-uniform(given["seed"], _RADIUS, users)))
    weight = np.exp(radius * np.cos(2.0 * np.pi * uniform(given["seed"], _ANGLE, users)))
    return share_out(weight, given, _LEFT)


def share_out(weight: np.ndarray, given: Mapping[str, Any], stream: int) -> np.ndarray:
    """Return the interactions of each user, int64, in proportion to ``weight`` above ``least``.

    Args:
        weight: A weight per user, float64.
        given: Sizes, ``least`` and ``seed`` of the generator.
        stream: Stream of the random order in which what rounding leaves is given out.
    """
    users, total, most = given["users"], given["interactions"], max(given["items"] // 2, 1)
    least = min(given["least"], total // users)
    extra = np.floor((total - least * users) * (weight / weight.sum()))
    degrees = np.minimum(least + extra.astype(np.int64), most)
    order = np.argsort(random_bits(given["seed"], stream, np.arange(users)), kind="stable")
    while left := total - int(degrees.sum()):
        room = order[degrees[order] < most]
        step = np.full(len(room), left // len(room))
        step[: left % len(room)] += 1
        degrees[room] = np.minimum(degrees[room] + step, most)
    return degrees


def _topics(given: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where each topic starts, its items, and the running sums of their popularity.

    An item belongs to one topic with its whole popularity and to another with half of it; one more
    topic holds all items.
    """
    n, topics, seed = given["items"], given["topics"], given["seed"]
    counter = np.arange(n)
    rank = np.argsort(np.argsort(random_bits(seed, _POPULARITY, counter), kind="stable"))
    popularity = (rank + 1.0) ** -given["skew"]
    homes = [random_bits(seed, stream, counter) % np.uint64(topics) for stream in (_TOPIC, _SECOND)]
    topic = np.concatenate([*homes, np.full(n, topics, np.uint64)]).astype(np.int64)
    mass = np.concatenate([popularity, 0.5 * popularity, popularity])
    order = np.argsort(topic, kind="stable")
    start = np.searchsorted(topic[order], np.arange(topics + 2))
    return start, np.tile(counter, 3)[order], np.cumsum(mass[order])


def batch_of(
    users: np.ndarray,
    items: np.ndarray,
    share: np.ndarray,
    given: Mapping[str, Any],
    keep: Mapping[str, Any],
) -> Batch:
    """Return interactions with ids and, if there are behaviors, those kept and their times.

    ``share``: when each happens, from 0 for the beginning of the first day to 1 for the end of the
    last one.
    """
    seed, rows = given["seed"], len(users)
    time = None
    if shares := given["behaviors"]:
        time = _FIRST_DAY + (share * given["days"] * _DAY).astype(np.int64)
        kept = _behaves(uniform(seed, _BEHAVIOR, rows), shares, keep.get("behaviors"))
        users, items, time = users[kept], items[kept], time[kept]
    return Batch(
        _named("u", users, given["users"]), _named("i", items, given["items"]), time, 0, rows
    )


def _behaves(
    draws: np.ndarray, shares: Mapping[str, float], wanted: Sequence[str] | None
) -> np.ndarray:
    """Return whether the behavior of each draw from [0, 1) is one of ``wanted``: bool [rows]."""
    bounds = np.cumsum(list(shares.values())) / sum(shares.values())
    chosen = np.array([wanted is None or name in wanted for name in shares])
    return chosen[np.minimum(np.searchsorted(bounds, draws, side="right"), len(shares) - 1)]


def _named(prefix: str, numbers: np.ndarray, count: int) -> pa.DictionaryArray:
    width = len(str(count - 1))
    names = [f"{prefix}{number:0{width}}" for number in range(count)]
    return pa.DictionaryArray.from_arrays(pa.array(numbers), pa.array(names, pa.string()))
