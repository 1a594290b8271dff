"""Exact search by the inner product of a float query with binary codes of items.

The score of query q and code h in {-1, 1}^K is sum_b q_b h_b = sum_b |q_b| - 2 D, where D is the
sum of |q_b| over the bits in which h differs from the signs of q. With |q_b| rounded to m bits, D
is a weighted Hamming distance, which the bit-sliced scan adds up from m K planes instead of K.
"""

from typing import NamedTuple

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.kernels import njit
from hashgnn.search import exact
from hashgnn.search._kernels.bit_planes import signed_sums
from hashgnn.search.exact import Items, in_threads, query_blocks

QUERY_BITS = range(2, 9)  # a sign, and 1 to 7 bits of magnitude
_EXACT = 8  # bits of the queries with which exact search begins
_MORE = 32  # candidates beyond k that it begins with
_BLOCK = 256  # queries
_SHARES = np.linspace(0.4, 1.0, 13)  # of the largest magnitude, tried as the largest weight


class Rounded(NamedTuple):
    """Queries rounded to signs and whole magnitudes.

    ``signs`` uint8 [Q, bytes], packed; ``weights`` uint8 [Q, bits]; ``steps`` float64 [Q]: what a
    weight of 1 stands for. Query q_b is about ``steps`` * ``weights``_b, with its sign.
    """

    signs: np.ndarray
    weights: np.ndarray
    steps: np.ndarray


def round_queries(queries: np.ndarray, query_bits: int, *, clip: bool = True) -> Rounded:
    """Round float32 [Q, bits] to ``query_bits`` each, the sign included.

    With ``clip`` the step of each query is the one of least squared error among some that round
    down its largest magnitudes; without it no error is above half a step.
    """
    weights = np.empty(queries.shape, dtype=np.uint8)
    steps = np.empty(len(queries), dtype=np.float64)
    shares = _SHARES if clip else _SHARES[-1:]
    _round(queries, (1 << query_bits - 1) - 1, shares, weights, steps)
    return Rounded(np.packbits(queries > 0, axis=1, bitorder="little"), weights, steps)


@njit(cache=True, nogil=True)
def _round(
    queries: np.ndarray, most: int, shares: np.ndarray, weights: np.ndarray, steps: np.ndarray
) -> None:
    """Fill ``weights`` and ``steps``: of each query's steps the one of least squared error.

    A step is a share of the largest magnitude, divided by the largest weight ``most``.
    """
    for row in range(len(queries)):
        largest = 0.0
        for bit in range(queries.shape[1]):
            largest = max(largest, abs(np.float64(queries[row, bit])))
        least = np.inf
        for share in shares[::-1]:
            step = largest * share / most
            error = 0.0
            for bit in range(queries.shape[1]):
                magnitude = abs(np.float64(queries[row, bit]))
                error += (magnitude - step * _weight(magnitude, step, most)) ** 2
            if error < least:
                least, steps[row] = error, step
        for bit in range(queries.shape[1]):
            magnitude = abs(np.float64(queries[row, bit]))
            weights[row, bit] = np.uint8(_weight(magnitude, steps[row], most))


@njit(cache=True, nogil=True, inline="always")
def _weight(magnitude: float, step: float, most: int) -> float:
    return min(np.rint(magnitude / step), np.float64(most)) if step > 0 else 0.0


def nearest(
    items: Items, queries: np.ndarray, k: int, excluded: Csr, query_bits: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the ``k`` items of largest score with each query rounded to ``query_bits``.

    ``queries`` float32 [Q, bits]; ``excluded``: ascending positions that each query must not get.
    Returns positions int32 and scores float32, [Q, k], best first, equal scores in order of
    position; -1 and -inf where fewer than ``k`` remain.
    """
    rounded = round_queries(queries, query_bits)
    positions, distances = exact.nearest_weighted(
        items, rounded.signs, rounded.weights, query_bits - 1, k, excluded
    )
    totals = rounded.weights.sum(axis=1, dtype=np.int64)[:, None]
    scores = rounded.steps[:, None] * (totals - 2 * distances)
    return positions, np.where(positions < 0, -np.inf, scores).astype(np.float32)


def nearest_exactly(
    items: Items, queries: np.ndarray, k: int, excluded: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """Find the ``k`` items of largest score with each float query; see ``nearest``.

    A score is a sum in double precision, in the order of the bits. Items are found with queries
    rounded to 8 bits: the rounding moves a distance by at most the sum of its errors, so all items
    within that many units of the k-th are candidates, and their exact scores decide.
    """
    positions = np.full((len(queries), k), -1, dtype=np.int32)
    scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
    rounded = round_queries(queries, _EXACT, clip=False)
    slack = _slack(queries, rounded)
    open_rows, length = np.arange(len(queries)), min(k + _MORE, items.n_items)
    while len(open_rows):
        chosen = _rows(excluded, open_rows)
        found, distances = exact.nearest_weighted(
            items, rounded.signs[open_rows], rounded.weights[open_rows], _EXACT - 1, length, chosen
        )
        sure = (found[:, -1] < 0) | (length == items.n_items)
        sure |= distances[:, -1] > distances[:, min(k, length) - 1] + slack[open_rows]
        done = open_rows[sure]
        if len(done):
            positions[done], scores[done] = rerank(items, queries[done], found[sure], k)
        open_rows, length = open_rows[~sure], min(4 * length, items.n_items)
    return positions, scores


def _slack(queries: np.ndarray, rounded: Rounded) -> np.ndarray:
    """Return by how many units two distances of a query may be off, rounded up: int64 [Q]."""
    steps = np.where(rounded.steps > 0, rounded.steps, 1.0)[:, None]
    errors = np.abs(np.abs(queries.astype(np.float64)) / steps - rounded.weights)
    return np.ceil(errors.sum(axis=1)).astype(np.int64) + 1


def _rows(excluded: Csr, rows: np.ndarray) -> Csr:
    lengths = np.diff(excluded.indptr)[rows]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    starts = np.repeat(excluded.indptr[rows] - indptr[:-1], lengths)
    return Csr(indptr, excluded.indices[starts + np.arange(indptr[-1])])


def rerank(
    items: Items, queries: np.ndarray, candidates: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the ``k`` best of each query's ``candidates`` by exact score, as ``nearest`` does.

    ``candidates``: positions int32 [Q, C], -1 where there are fewer.
    """
    positions = np.full((len(queries), k), -1, dtype=np.int32)
    scores = np.full((len(queries), k), -np.inf, dtype=np.float32)

    def answer(rows: slice) -> None:
        sums = np.empty(candidates[rows].shape, dtype=np.float64)
        signed_sums(items.planes, queries[rows].astype(np.float64), candidates[rows], sums)
        best = np.lexsort((candidates[rows], -sums))[:, :k]
        width = best.shape[1]
        positions[rows, :width] = np.take_along_axis(candidates[rows], best, axis=1)
        scores[rows, :width] = np.take_along_axis(sums, best, axis=1)

    in_threads(query_blocks(len(queries), _BLOCK), answer)
    return positions, scores
