"""Exact search by inner product, over all items or over a few candidates of each query."""

import numpy as np
from numba import njit

from hashgnn.data.interactions import Csr
from hashgnn.search.parallel import over_queries

_BLOCK = 256
_BLOCK_SCORES = 1 << 24  # scores held at a time: 64 MB


def largest(
    queries: np.ndarray, items: np.ndarray, k: int, excluded: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` items of largest inner product of each query; equals in order of position.

    ``queries`` [Q, d] and ``items`` [I, d] float32; ``excluded``: positions barred for each
    query. Returns positions int32 and scores float32, [Q, k], -1 and -inf where fewer remain.
    """
    positions = np.full((len(queries), k), -1, dtype=np.int32)
    scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
    block = max(1, _BLOCK_SCORES // max(1, len(items)))
    for first in range(0, len(queries), block):
        rows = slice(first, first + block)
        products = queries[rows] @ items.T
        bar(products, excluded.indptr[first : first + block + 1], excluded.indices)
        _answer(products, positions[rows], scores[rows])
    return positions, scores


def rerank(
    queries: np.ndarray, items: np.ndarray, candidates: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` best of each query's ``candidates`` by inner product, as ``largest`` returns.

    ``candidates``: positions int32 [Q, C], -1 where there are fewer.
    """
    candidates = np.sort(candidates, axis=1)
    places = np.full((len(queries), k), -1, dtype=np.int32)
    scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
    products = np.empty(candidates.shape, dtype=np.float32)
    _products(queries, items, candidates, products)
    _answer(products, places, scores)
    positions = np.take_along_axis(candidates, np.maximum(places, 0), axis=1)
    return np.where(places < 0, np.int32(-1), positions), scores


def _answer(products: np.ndarray, positions: np.ndarray, scores: np.ndarray) -> None:
    def answer(rows: slice) -> None:
        _select(products[rows], positions[rows], scores[rows])

    over_queries(len(products), _BLOCK, answer)


@njit(cache=True)
def bar(products: np.ndarray, indptr: np.ndarray, barred: np.ndarray) -> None:
    """Set the products of barred positions to -inf."""
    for row in range(len(products)):
        for place in range(indptr[row], indptr[row + 1]):
            products[row, barred[place]] = -np.inf


@njit(cache=True)
def _products(
    queries: np.ndarray, items: np.ndarray, candidates: np.ndarray, products: np.ndarray
) -> None:
    for row in range(len(queries)):
        for place in range(candidates.shape[1]):
            total = np.float32(-np.inf)
            if candidates[row, place] >= 0:
                total = np.float32(0)
                for column in range(queries.shape[1]):
                    total += queries[row, column] * items[candidates[row, place], column]
            products[row, place] = total


@njit(cache=True, nogil=True)
def _select(products: np.ndarray, positions: np.ndarray, scores: np.ndarray) -> None:
    """The largest products of each row, by (product descending, position), through a heap."""
    for row in range(len(products)):
        found, best = positions[row], scores[row]
        for position in range(products.shape[1]):
            if len(best) and products[row, position] > best[0]:
                best[0], found[0] = products[row, position], position
                _sink(best, found, 0, len(best))
        for last in range(len(best) - 1, 0, -1):
            best[0], best[last] = best[last], best[0]
            found[0], found[last] = found[last], found[0]
            _sink(best, found, 0, last)


@njit(cache=True, nogil=True)
def _sink(best: np.ndarray, found: np.ndarray, parent: int, size: int) -> None:
    """Restore the heap whose top is the worst: the lowest score, the last position of equals."""
    while True:
        child = 2 * parent + 1
        if child >= size:
            return
        if child + 1 < size and _worse(best, found, child + 1, child):
            child += 1
        if not _worse(best, found, child, parent):
            return
        best[parent], best[child] = best[child], best[parent]
        found[parent], found[child] = found[child], found[parent]
        parent = child


@njit(cache=True, nogil=True)
def _worse(best: np.ndarray, found: np.ndarray, one: int, other: int) -> np.bool:
    if best[one] != best[other]:
        return best[one] < best[other]
    # Empty places hold -1 and -inf: as unsigned the last of all positions, so worst.
    return np.uint32(found[one]) > np.uint32(found[other])
