"""Buckets of nodes whose neighborhoods resemble each other, by MinHash (Broder 1997)."""

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.kernels import njit


def buckets(neighbors: Csr, bands: int, rows: int, seed: int) -> np.ndarray:
    """The bucket of each node in each band: uint64 [nodes, bands].

    Two nodes whose neighborhoods have the Jaccard similarity s share a band's bucket with chance
    s^``rows``. Nodes without neighbors share theirs.
    """
    return _buckets(*neighbors, bands, rows, seed)


@njit(cache=True)
def _mix(bits):  # type: ignore[no-untyped-def]
    """SplitMix64's finalizer (Steele et al. 2014), as a hash of uint64."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@njit(cache=True)
def _buckets(
    indptr: np.ndarray, indices: np.ndarray, bands: int, rows: int, seed: int
) -> np.ndarray:
    found = np.zeros((len(indptr) - 1, bands), dtype=np.uint64)
    for number in range(bands * rows):
        key = _mix(np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(number + 1))
        for node in range(len(indptr) - 1):
            least = np.uint64(0xFFFFFFFFFFFFFFFF)
            for place in range(indptr[node], indptr[node + 1]):
                least = min(least, _mix(key ^ np.uint64(indices[place])))
            band = number // rows
            found[node, band] = _mix(found[node, band] + least + np.uint64(number))
    return found
