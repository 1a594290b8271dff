"""Draw what users interact with from a mixture of topics.

Each user has a few topics, the first the dearest; each topic has its items, drawn by popularity.
Some interactions are chance: any item, by popularity. So the expected interactions have a rank
of about the number of topics, popularity alone explains part of them, and chance bounds what any
method can reach.
"""

import numpy as np

from hashgnn.kernels import njit


@njit(cache=True)
def _mix(bits):  # type: ignore[no-untyped-def]
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@njit(cache=True)
def _uniform(state):  # type: ignore[no-untyped-def]
    """The next number from [0, 1); ``state``: uint64 [1], moved on."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    return np.float64(_mix(state[0]) >> np.uint64(11)) * 2.0**-53


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
    """Distinct items for each user: int32 [indptr[-1]], row u at indptr[u]:indptr[u + 1].

    ``favorites`` int [users, m]: topics, each half as dear as the one before. Topic t holds
    ``topic_items[topic_start[t]:topic_start[t + 1]]`` with running sums of popularity in
    ``topic_mass``; the last topic holds every item and is drawn from with probability ``chance``.
    """
    items = np.empty(indptr[-1], dtype=np.int32)
    taken_by = np.full(n_items, -1, dtype=np.int64)
    state = np.empty(1, dtype=np.uint64)
    everything = len(topic_start) - 2
    for user in range(len(indptr) - 1):
        state[0] = _mix(_mix(np.uint64(seed)) + np.uint64(user))
        misses = 0
        at = indptr[user]
        while at < indptr[user + 1]:
            topic = everything
            if _uniform(state) >= chance:
                dear = np.int64(-np.log2(1.0 - _uniform(state)))
                topic = favorites[user, min(dear, favorites.shape[1] - 1)]
            low, high = topic_start[topic], topic_start[topic + 1]
            base = topic_mass[low - 1] if low else 0.0
            mass = base + _uniform(state) * (topic_mass[high - 1] - base)
            place = low + np.searchsorted(topic_mass[low:high], mass, side="right")
            item = topic_items[min(place, high - 1)]
            # A user who has nearly all of its topics takes the next item that is free.
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
