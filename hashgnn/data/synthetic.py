"""Generate users who browse a catalogue: categories, interests, revisits, changing popularity.

Settings: ``generator``, see ``hashgnn.config.data_sets.Generator``; ``filter`` {behaviors: [...]}.
No file is read.

Items stand in several orders, one for each facet. Each order is a hierarchy of categories: blocks
of ``leaf`` items, of ``branching`` such blocks, and so on. A user has few or many interests, each
of them a category of any size around a popular item; with probability ``loyalty`` it lies in the
large category where the user is at home. An interaction follows popularity alone (with
probability ``chance``), returns to the neighborhood of an item that the user has chosen before
(``revisits``), or follows an interest. Within the range it picks an item by its popularity at the
time, which rises and falls.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from hashgnn.config.base import parse
from hashgnn.config.data_sets import Generator
from hashgnn.data.interactions import Batch
from hashgnn.errors import InputError
from hashgnn.kernels import mix, njit
from hashgnn.random import GOLDEN, random_bits, uniform

_FIRST_DAY = 1_511_568_000  # 2017-11-25, 00:00 UTC
_DAY = 86_400  # seconds
_PERIODS = 8  # in which popularity stays as it is
# Streams of random numbers, one for each quantity drawn.
_DEGREE, _LEFT, _POPULARITY, _ORDER, _PEAK, _COUNT, _CENTRE, _LEVEL, _FACET, _TIME = range(20, 30)
_HOME, _HOME_CENTRE, _LOYAL, _FIRST, _BEHAVIOR = range(30, 35)


class _Catalogue(NamedTuple):
    """Items in the order of each facet, one after the other, and their popularity."""

    order: np.ndarray  # int32 [facets * items]: the item at each position
    place: np.ndarray  # int32 [facets, items]: position of each item, from the start of the facet
    mass: np.ndarray  # float64 [periods, facets * items]: running sums of popularity


class _Interests(NamedTuple):
    """Ranges of positions that users choose from; user u has start[u]:start[u + 1]."""

    start: np.ndarray  # int64 [users + 1]
    low: np.ndarray  # int64 [interests]
    high: np.ndarray  # int64 [interests]


def generate(paths: Sequence[Path], settings: Mapping[str, Any]) -> Iterator[Batch]:
    """Yield the data set as one batch; ``InputError`` if the sizes cannot be met."""
    if paths:
        raise InputError("reader synthetic reads no files")
    given = parse(Generator, settings["generator"], "generator")
    degrees = _degrees(given)
    catalogue = _catalogue(given)
    indptr = np.concatenate([[0], np.cumsum(degrees)])
    shares = np.array([given.chance, given.revisits], dtype=np.float64)
    items = draw_visits(
        indptr,
        tuple(catalogue),
        tuple(_interests(given, catalogue)),
        shares,
        given.neighborhood,
        given.seed,
    )
    users = np.repeat(np.arange(given.users, dtype=np.int32), degrees)
    place = np.arange(len(items)) - np.repeat(indptr[:-1], degrees)
    share = (place + uniform(given.seed, _TIME, len(items))) / degrees[users]
    yield _batch(users, items, share, given, settings.get("filter", {}))


def _degrees(given: Generator) -> np.ndarray:
    """Return the interactions of each user, int64: log-normal above ``least``, exact in total."""
    weight = np.exp(given.user_spread * _normal(given.seed, _DEGREE, given.users))
    return _share_out(weight, given, _LEFT)


def _share_out(weight: np.ndarray, given: Generator, stream: int) -> np.ndarray:
    """Return the interactions of each user, int64, in proportion to ``weight`` above ``least``.

    Args:
        weight: A weight per user, float64.
        given: Sizes, ``least`` and ``seed`` of the generator.
        stream: Stream of the random order in which what rounding leaves is given out.
    """
    users, total, most = given.users, given.interactions, max(given.items // 2, 1)
    least = min(given.least, total // users)
    extra = np.floor((total - least * users) * (weight / weight.sum()))
    degrees = np.minimum(least + extra.astype(np.int64), most)
    order = np.argsort(random_bits(given.seed, stream, np.arange(users)), kind="stable")
    while left := total - int(degrees.sum()):
        room = order[degrees[order] < most]
        step = np.full(len(room), left // len(room))
        step[: left % len(room)] += 1
        degrees[room] = np.minimum(degrees[room] + step, most)
    return degrees


def _normal(seed: int, stream: int, n: int) -> np.ndarray:
    """Return ``n`` standard normal numbers (Box and Muller 1958)."""
    first, second = uniform(seed, stream, 2 * n).reshape(2, n)
    return np.sqrt(-2.0 * np.log1p(-first)) * np.cos(2.0 * np.pi * second)


def _catalogue(given: Generator) -> _Catalogue:
    n, facets, seed = given.items, given.facets, given.seed
    popularity = np.exp(given.item_spread * _normal(seed, _POPULARITY, n))
    keys = random_bits(seed, _ORDER, np.arange(facets * n)).reshape(facets, n)
    order = np.argsort(keys, axis=1, kind="stable").astype(np.int32)
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(n, dtype=np.int32)[None], axis=1)
    peak = 1.5 * uniform(seed, _PEAK, n) - 0.25
    mass = np.empty((_PERIODS, facets * n))
    for period in range(_PERIODS):
        age = (period + 0.5) / _PERIODS - peak
        age = np.where(age < 0, -4.0 * age, age)  # it rises faster than it falls
        at_time = popularity * (0.05 + np.exp(-age / given.lifetime))
        np.cumsum(at_time[order.ravel()], out=mass[period])
    return _Catalogue(order.ravel(), place, mass)


def _interests(given: Generator, catalogue: _Catalogue) -> _Interests:
    n, seed, users = given.items, given.seed, given.users
    spread = given.interest_spread * _normal(seed, _COUNT, users)
    counts = np.ceil(given.interests * np.exp(spread - 0.5 * given.interest_spread**2))
    counts = np.minimum(counts, 1000).astype(np.int64)
    start = np.concatenate([[0], np.cumsum(counts)])
    total, levels = int(start[-1]), _levels(given)
    low, high = np.zeros(total, np.int64), np.full(total, n, np.int64)
    # Most interests of a user lie near one item, in the order of the first facet.
    near = _levels_up(given, uniform(seed, _HOME, total), levels - 1, levels)
    at_home = np.minimum(_draw(given, catalogue, uniform(seed, _HOME_CENTRE, users), 0, n), n - 1)
    loyal = uniform(seed, _LOYAL, total) < given.loyalty
    low[loyal] = (np.repeat(at_home, counts) // near * near)[loyal]
    high[loyal] = np.minimum(low + near, n)[loyal]
    # By popularity: popular categories have more users.
    centre = catalogue.order[_draw(given, catalogue, uniform(seed, _CENTRE, total), low, high)]
    others = np.ceil(uniform(seed, _FACET, total) * (given.facets - 1)).astype(np.int64)
    facet = np.where(uniform(seed, _FIRST, total) < given.loyalty, 0, others)
    size = _levels_up(given, uniform(seed, _LEVEL, total), 0, levels - 1)
    low = catalogue.place[facet, centre] // size * size
    high = np.minimum(low + size, n)
    return _Interests(start, facet * n + low, facet * n + high)


def _levels(given: Generator) -> int:
    """Return how many times a leaf is joined with others before all items are together."""
    return max(1, int(np.log(given.items / given.leaf) / np.log(given.branching)))


def _levels_up(given: Generator, draws: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return sizes of categories, whose levels from ``first`` to ``last`` are equally likely."""
    level = first + np.floor(draws * (last - first + 1))
    return (given.leaf * given.branching**level).astype(np.int64)


def _draw(
    given: Generator,
    catalogue: _Catalogue,
    draws: np.ndarray,
    low: np.ndarray | int,
    high: np.ndarray | int,
) -> np.ndarray:
    """Return positions from ``low`` to ``high`` of the first facet, drawn by popularity."""
    mass = np.concatenate([[0.0], catalogue.mass[_PERIODS // 2, : given.items]])
    drawn = mass[low] + draws * (mass[high] - mass[low])
    return np.clip(np.searchsorted(mass, drawn, side="right") - 1, low, np.subtract(high, 1))


def _batch(
    users: np.ndarray,
    items: np.ndarray,
    share: np.ndarray,
    given: Generator,
    keep: Mapping[str, Any],
) -> Batch:
    """Return interactions with ids and, if there are behaviors, those kept and their times.

    ``share``: when each happens, from 0 for the beginning of the first day to 1 for the end of the
    last one.
    """
    seed, rows = given.seed, len(users)
    time = None
    if shares := given.behaviors:
        time = _FIRST_DAY + (share * given.days * _DAY).astype(np.int64)
        kept = _behaves(uniform(seed, _BEHAVIOR, rows), shares, keep.get("behaviors"))
        users, items, time = users[kept], items[kept], time[kept]
    return Batch(_named("u", users, given.users), _named("i", items, given.items), time, 0, rows)


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


@njit(cache=True)
def _uniform(state):  # type: ignore[no-untyped-def]
    """Return the next number from [0, 1) and advance ``state``, uint64 [1]."""
    state[0] += GOLDEN
    return np.float64(mix(state[0]) >> np.uint64(11)) * 2.0**-53


@njit(cache=True)
def _pick(mass, low, high, state):  # type: ignore[no-untyped-def]
    """Return a position from ``low`` to ``high``, drawn by popularity."""
    base = mass[low - 1] if low else 0.0
    drawn = base + _uniform(state) * (mass[high - 1] - base)
    return min(low + np.searchsorted(mass[low:high], drawn, side="right"), high - 1)


@njit(cache=True)
def _range(catalogue, interests, shares, width, user, chosen, state):  # type: ignore[no-untyped-def]
    """Return the range of positions that the next item of ``user`` is drawn from."""
    _, places, _ = catalogue
    starts, lows, highs = interests
    facets, n = places.shape
    kind = _uniform(state)
    if kind < shares[0]:
        return 0, n
    facet = min(np.int64(_uniform(state) * facets), facets - 1)
    if kind < shares[0] + shares[1] and len(chosen):
        back = np.int64(-4.0 * np.log(1.0 - _uniform(state)))  # rather one of the last few
        place = places[facet, chosen[max(len(chosen) - 1 - back, 0)]]
        return facet * n + max(place - width, 0), facet * n + min(place + width + 1, n)
    first, end = starts[user], starts[user + 1]
    which = first + np.int64((end - first) * _uniform(state) ** 2)
    return lows[which], highs[which]


@njit(cache=True)
def draw_visits(
    indptr: np.ndarray,
    catalogue: tuple[np.ndarray, ...],
    interests: tuple[np.ndarray, ...],
    shares: np.ndarray,
    width: int,
    seed: int,
) -> np.ndarray:
    """Draw distinct items for each user: int32 [indptr[-1]], row u at indptr[u]:indptr[u + 1].

    A user's items are in the order of time.

    Args:
        indptr: Where the items of each user begin, int64 [users + 1].
        catalogue: The arrays of ``_Catalogue``. Plain tuples, as numba's cache refers to classes by
            name and cannot be read after a class was renamed.
        interests: The arrays of ``_Interests``.
        shares: Of interactions by popularity alone, and of revisits, float64 [2].
        width: Items on either side of an earlier one that a revisit chooses from.
        seed: Seed of the generator.
    """
    items = np.empty(indptr[-1], dtype=np.int32)
    order, places, masses = catalogue
    n, periods = places.shape[1], len(masses)
    taken_by = np.full(n, -1, dtype=np.int64)
    state = np.empty(1, dtype=np.uint64)
    for user in range(len(indptr) - 1):
        state[0] = mix(mix(np.uint64(seed)) + np.uint64(user))
        start, end = indptr[user], indptr[user + 1]
        for at in range(start, end):
            mass = masses[(at - start) * periods // (end - start)]
            low, high = _range(catalogue, interests, shares, width, user, items[start:at], state)
            misses = 0
            item = order[_pick(mass, low, high, state)]
            while taken_by[item] == user:
                misses += 1
                if misses % 8 == 0:  # widen the range within its facet
                    facet = low // n * n
                    size = high - low
                    low, high = max(low - size, facet), min(high + size, facet + n)
                item = order[_pick(mass, low, high, state)]
                while misses > 100 and taken_by[item] == user:
                    item = (item + 1) % n
            taken_by[item] = user
            items[at] = item
    return items
