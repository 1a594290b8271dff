"""Low-level code of the searches, and in this file what it computes, in plain NumPy.

The tests compare each kernel with its reference here, and keep a fingerprint of its results. Code
outside ``hashgnn.search`` does not import this package. The code digest of training and evaluation
takes from each kernel's module its interface and its ``RESULTS_VERSION``, not its code: raise the
number, and record the new fingerprint (``python -m tests.search.test_fingerprints``), if an edit
changes results; then what was made with the kernel is made again.
"""

import numpy as np


def planes(codes: np.ndarray) -> np.ndarray:
    """Return codes uint8 [I, bytes] as planes uint64 [ceil(I / 512), bits, 8]."""
    n_items, width = codes.shape
    filled = np.zeros((-(-n_items // 512) * 512, width), dtype=np.uint8)
    filled[:n_items] = codes
    bits = np.unpackbits(filled, axis=1, bitorder="little").astype(np.uint64)
    words = bits.reshape(-1, 8, 64, width * 8)  # chunk, word, bit of the word, plane
    weights = np.uint64(1) << np.arange(64, dtype=np.uint64)
    return (words * weights[:, None]).sum(axis=2, dtype=np.uint64).transpose(0, 2, 1)


def distances(queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the distances int64 [Q, I] between codes uint8 [Q, bytes] and [I, bytes]."""
    return np.bitwise_count(queries[:, None] ^ codes).sum(axis=2, dtype=np.int64)


def weighted_distances(queries: np.ndarray, weights: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the distances int64 [Q, I] in which a bit that differs counts as its weight.

    ``queries`` uint8 [Q, bytes] have the ``weights`` uint8 [Q, bits]; ``codes`` uint8 [I, bytes].
    """
    differs = np.unpackbits(queries[:, None] ^ codes, axis=2, bitorder="little")
    return (differs * weights[:, None].astype(np.int64)).sum(axis=2)


def signed_sums(queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the products float64 [Q, I] of queries [Q, bits] and codes taken as -1 and 1."""
    signs = 2.0 * np.unpackbits(codes, axis=1, bitorder="little") - 1
    totals = np.zeros((len(queries), len(codes)))
    for bit in range(queries.shape[1]):
        totals += queries[:, bit, None].astype(np.float64) * signs[:, bit]
    return totals


def products(queries: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Return the products float32 [Q, I] of float32 [Q, d] and [I, d].

    They are summed in order of the dimensions, each rounded once, together with the sum so far.
    """
    totals = np.zeros((len(queries), len(items)), dtype=np.float32)
    for column in range(queries.shape[1]):
        terms = queries[:, column, None].astype(np.float64) * items[:, column]
        totals = (terms + totals).astype(np.float32)
    return totals


def best(badness: np.ndarray, k: int, excluded: np.ndarray) -> np.ndarray:
    """Return the positions int64 [Q, k] of the items of least ``badness`` [Q, I], equals in order.

    Those that ``excluded`` bool [Q, I] marks are left out; -1 where fewer than k remain.
    """
    keys = np.where(excluded, np.inf, badness.astype(np.float64))
    order = np.argsort(keys, axis=1, kind="stable")
    order[np.isinf(np.take_along_axis(keys, order, axis=1))] = -1
    padding = np.full((len(keys), max(0, k - keys.shape[1])), -1)
    return np.hstack([order, padding])[:, :k]
