"""Generate users who browse a catalogue: categories, interests, revisits, changing popularity.

Settings: ``generator`` {users, items, interactions, seed, least, user_spread, item_spread, facets,
branching, leaf, interests, interest_spread, loyalty, chance, revisits, neighborhood, lifetime,
days, behaviors: {name: share}}; ``filter`` {behaviors: [...]}. No file is read.

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

from hashgnn.data.ids import Batch
from hashgnn.data.synthetic import batch_of, check_sizes, share_out
from hashgnn.errors import InputError
from hashgnn.kernels import mix, njit
from hashgnn.random import GOLDEN, random_bits, uniform

_DEFAULTS = {
    "seed": 0,
    "least": 10,
    "user_spread": 0.8,
    "item_spread": 0.7,
    "facets": 2,
    "branching": 2,
    "leaf": 64,
    "interests": 3.0,
    "interest_spread": 0.8,
    "loyalty": 0.95,
    "chance": 0.2,
    "revisits": 0.2,
    "neighborhood": 24,
    "lifetime": 0.5,
    "days": 7,
    "behaviors": None,
}
_PERIODS = 8  # in which popularity stays as it is
# Streams of random numbers, one for each quantity drawn.
_DEGREE, _LEFT, _POPULARITY, _ORDER, _PEAK, _COUNT, _CENTRE, _LEVEL, _FACET, _TIME = range(20, 30)
_HOME, _HOME_CENTRE, _LOYAL, _FIRST = range(30, 34)


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
        raise InputError("reader browsing reads no files")
    given = {**_DEFAULTS, **settings["generator"]}
    check_sizes(given)
    degrees = degrees_of(given)
    catalogue = _catalogue(given)
    indptr = np.concatenate([[0], np.cumsum(degrees)])
    shares = np.array([given["chance"], given["revisits"]], dtype=np.float64)
    items = draw_visits(
        indptr,
        catalogue,
        _interests(given, catalogue),
        shares,
        given["neighborhood"],
        given["seed"],
    )
    users = np.repeat(np.arange(given["users"], dtype=np.int32), degrees)
    place = np.arange(len(items)) - np.repeat(indptr[:-1], degrees)
    share = (place + uniform(given["seed"], _TIME, len(items))) / degrees[users]
    yield batch_of(users, items, share, given, settings.get("filter", {}))


def degrees_of(given: Mapping[str, Any]) -> np.ndarray:
    """Return the interactions of each user, int64: log-normal above ``least``, exact in total."""
    weight = np.exp(given["user_spread"] * _normal(given["seed"], _DEGREE, given["users"]))
    return share_out(weight, given, _LEFT)


def _normal(seed: int, stream: int, n: int) -> np.ndarray:
    """Return ``n`` standard normal numbers (Box and Muller 1958)."""
    first, second = uniform(seed, stream, 2 * n).reshape(2, n)
    return np.sqrt(-2.0 * np.log1p(-first)) * np.cos(2.0 * np.pi * second)


def _catalogue(given: Mapping[str, Any]) -> _Catalogue:
    n, facets, seed = given["items"], given["facets"], given["seed"]
    popularity = np.exp(given["item_spread"] * _normal(seed, _POPULARITY, n))
    keys = random_bits(seed, _ORDER, np.arange(facets * n)).reshape(facets, n)
    order = np.argsort(keys, axis=1, kind="stable").astype(np.int32)
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(n, dtype=np.int32)[None], axis=1)
    peak = 1.5 * uniform(seed, _PEAK, n) - 0.25
    mass = np.empty((_PERIODS, facets * n))
    for period in range(_PERIODS):
        age = (period + 0.5) / _PERIODS - peak
        age = np.where(age < 0, -4.0 * age, age)  # it rises faster than it falls
        at_time = popularity * (0.05 + np.exp(-age / given["lifetime"]))
        np.cumsum(at_time[order.ravel()], out=mass[period])
    return _Catalogue(order.ravel(), place, mass)


def _interests(given: Mapping[str, Any], catalogue: _Catalogue) -> _Interests:
    n, seed, users = given["items"], given["seed"], given["users"]
    spread = given["interest_spread"] * _normal(seed, _COUNT, users)
    counts = np.ceil(given["interests"] * np.exp(spread - 0.5 * given["interest_spread"] ** 2))
    counts = np.minimum(counts, 1000).astype(np.int64)
    start = np.concatenate([[0], np.cumsum(counts)])
    total, levels = int(start[-1]), _levels(given)
    low, high = np.zeros(total, np.int64), np.full(total, n, np.int64)
    # Most interests of a user lie near one item, in the order of the first facet.
    near = _levels_up(given, uniform(seed, _HOME, total), levels - 1, levels)
    at_home = np.minimum(_draw(given, catalogue, uniform(seed, _HOME_CENTRE, users), 0, n), n - 1)
    loyal = uniform(seed, _LOYAL, total) < given["loyalty"]
    low[loyal] = (np.repeat(at_home, counts) // near * near)[loyal]
    high[loyal] = np.minimum(low + near, n)[loyal]
    # By popularity: popular categories have more users.
    centre = catalogue.order[_draw(given, catalogue, uniform(seed, _CENTRE, total), low, high)]
    others = np.ceil(uniform(seed, _FACET, total) * (given["facets"] - 1)).astype(np.int64)
    facet = np.where(uniform(seed, _FIRST, total) < given["loyalty"], 0, others)
    size = _levels_up(given, uniform(seed, _LEVEL, total), 0, levels - 1)
    low = catalogue.place[facet, centre] // size * size
    high = np.minimum(low + size, n)
    return _Interests(start, facet * n + low, facet * n + high)


def _levels(given: Mapping[str, Any]) -> int:
    """Return how many times a leaf is joined with others before all items are together."""
    return max(1, int(np.log(given["items"] / given["leaf"]) / np.log(given["branching"])))


def _levels_up(given: Mapping[str, Any], draws: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return sizes of categories, whose levels from ``first`` to ``last`` are equally likely."""
    level = first + np.floor(draws * (last - first + 1))
    return (given["leaf"] * given["branching"] ** level).astype(np.int64)


def _draw(
    given: Mapping[str, Any],
    catalogue: _Catalogue,
    draws: np.ndarray,
    low: np.ndarray | int,
    high: np.ndarray | int,
) -> np.ndarray:
    """Return positions from ``low`` to ``high`` of the first facet, drawn by popularity."""
    mass = np.concatenate([[0.0], catalogue.mass[_PERIODS // 2, : given["items"]]])
    drawn = mass[low] + draws * (mass[high] - mass[low])
    return np.clip(np.searchsorted(mass, drawn, side="right") - 1, low, np.subtract(high, 1))


# As in ``synthetic``: kernels take no other kernel than the generator's from another file, since
# what numba has compiled does not follow edits of it.
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
    facets, n = catalogue.place.shape
    kind = _uniform(state)
    if kind < shares[0]:
        return 0, n
    facet = min(np.int64(_uniform(state) * facets), facets - 1)
    if kind < shares[0] + shares[1] and len(chosen):
        back = np.int64(-4.0 * np.log(1.0 - _uniform(state)))  # rather one of the last few
        place = catalogue.place[facet, chosen[max(len(chosen) - 1 - back, 0)]]
        return facet * n + max(place - width, 0), facet * n + min(place + width + 1, n)
    first, end = interests.start[user], interests.start[user + 1]
    which = first + np.int64((end - first) * _uniform(state) ** 2)
    return interests.low[which], interests.high[which]


@njit(cache=True)
def draw_visits(
    indptr: np.ndarray,
    catalogue: _Catalogue,
    interests: _Interests,
    shares: np.ndarray,
    width: int,
    seed: int,
) -> np.ndarray:
    """Draw distinct items for each user: int32 [indptr[-1]], row u at indptr[u]:indptr[u + 1].

    A user's items are in the order of time. ``shares``: of interactions by popularity alone, and of
    revisits to the ``width`` items on either side of an earlier one.
    """
    items = np.empty(indptr[-1], dtype=np.int32)
    n = catalogue.place.shape[1]
    periods = len(catalogue.mass)
    taken_by = np.full(n, -1, dtype=np.int64)
    state = np.empty(1, dtype=np.uint64)
    for user in range(len(indptr) - 1):
        state[0] = mix(mix(np.uint64(seed)) + np.uint64(user))
        start, end = indptr[user], indptr[user + 1]
        for at in range(start, end):
            mass = catalogue.mass[(at - start) * periods // (end - start)]
            low, high = _range(catalogue, interests, shares, width, user, items[start:at], state)
            misses = 0
            item = catalogue.order[_pick(mass, low, high, state)]
            while taken_by[item] == user:
                misses += 1
                if misses % 8 == 0:  # widen the range within its facet
                    facet = low // n * n
                    size = high - low
                    low, high = max(low - size, facet), min(high + size, facet + n)
                item = catalogue.order[_pick(mass, low, high, state)]
                while misses > 100 and taken_by[item] == user:
                    item = (item + 1) % n
            taken_by[item] = user
            items[at] = item
    return items
