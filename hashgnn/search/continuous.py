"""Exact search by inner product, over all items or over a few candidates of each query."""

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.search._kernels import inner_products as products
from hashgnn.search.parallel import in_threads, query_blocks, quotas

_BLOCK = 40 * products.ROWS  # queries that share a pass over the items
_FEW = 2  # are multiplied one by one: fewer products than with those that fill up the rows


def largest(
    queries: np.ndarray, items: np.ndarray, k: int, excluded: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` items of largest inner product of each query; equals in order of position.

    ``queries`` [Q, d] and ``items`` [I, d] float32; ``excluded``: ascending positions barred for
    each query. Returns positions int32 and scores float32, [Q, k], -1 and -inf where fewer remain.
    """
    positions = np.empty((len(queries), k), dtype=np.int32)
    scores = np.empty((len(queries), k), dtype=np.float32)
    enough = quotas(len(items), k, products.PANEL_ITEMS)

    def answer(rows: slice) -> None:
        barred = Csr(excluded.indptr[rows.start : rows.stop + 1], excluded.indices)
        keys, found = _multiply(queries[rows], items, enough, barred)
        for row in np.flatnonzero(found < min(k, len(items))):
            one = slice(row, row + 1)
            alone = Csr(barred.indptr[row : row + 2], barred.indices)
            safe = np.full_like(enough, k)
            keys[one] = _multiply(queries[rows][one], items, safe, alone)[0]
        positions[rows], scores[rows] = _in_order(keys, k)

    in_threads(query_blocks(len(queries), _BLOCK), answer)
    return positions, scores


def rerank(
    queries: np.ndarray, items: np.ndarray, candidates: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` best of each query's ``candidates`` by inner product, as ``largest`` returns.

    ``candidates``: positions int32 [Q, C], -1 where there are fewer.
    """
    positions = np.empty((len(queries), k), dtype=np.int32)
    scores = np.empty((len(queries), k), dtype=np.float32)

    def answer(rows: slice) -> None:
        keys = np.empty(candidates[rows].shape, dtype=np.uint64)
        products.multiply_candidates(items, queries[rows], candidates[rows], keys)
        positions[rows], scores[rows] = _in_order(keys, k)

    in_threads(query_blocks(len(queries), _BLOCK), answer)
    return positions, scores


def _multiply(
    queries: np.ndarray, items: np.ndarray, enough: np.ndarray, excluded: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """Keys [Q, some] of the best items, and how many of them there are [Q]."""
    n_queries, size = queries.shape
    n_rows = n_queries
    if n_queries > _FEW:
        n_rows = -(-n_queries // products.ROWS) * products.ROWS
    filled = np.zeros((n_rows, size), dtype=np.float32)
    filled[:n_queries] = queries
    floors = np.full(n_rows, np.inf, dtype=np.float32)
    floors[:n_queries] = -np.inf
    state = np.zeros((n_rows, products.STATE_COLUMNS), dtype=np.int64)
    state[:n_queries, products.CURSOR] = excluded.indptr[:-1]
    state[:n_queries, products.END] = excluded.indptr[1:]
    room = 2 * (enough.max(initial=0) + products.PANEL_ITEMS)
    keys = np.full((n_rows, room), products.EMPTY)
    products.multiply(items, filled, enough, excluded.indices, state, floors, keys)
    return keys[:n_queries], state[:n_queries, products.FOUND]


def _in_order(keys: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and scores of the ``k`` smallest keys of each row."""
    best = np.full((len(keys), k), products.EMPTY)
    width = min(k, keys.shape[1])
    best[:, :width] = np.sort(keys, axis=1)[:, :width]
    positions = best.astype(np.uint32).view(np.int32)
    flipped = (best >> np.uint64(32)).astype(np.uint32)
    bits = np.where(flipped >> np.uint32(31), flipped, flipped ^ np.uint32(0x7FFFFFFF))
    return positions, np.where(positions < 0, np.float32(-np.inf), bits.view(np.float32))
