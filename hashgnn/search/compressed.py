"""Search of compressed items by FAISS: product quantization and RaBitQ, of a float query.

Gives the parts that a catalogue can train, and indexes to time this search by.
"""

from typing import Literal, NamedTuple

import faiss
import numpy as np

from hashgnn.errors import InputError

Compression = Literal["pq", "opq", "rabitq"]

_POINTS_PER_CENTROID = 39  # items, at least: with fewer k-means of FAISS warns
_LEAST_PART_BITS = 3  # FAISS fills its tables of distances by eights


class Parts(NamedTuple):
    """How product quantization divides vectors: into ``number`` parts, a centroid each."""

    number: int
    bits: int


def divide(n_items: int, width: int, bits: int, most: int) -> Parts:
    """Choose parts whose centroids have ``bits`` in all, or a few less.

    Each has as many bits as ``n_items`` can train, up to ``most``. Raises ``InputError`` if they
    are too few for two centroids.
    """
    able = (n_items // _POINTS_PER_CENTROID).bit_length() - 1
    if able < 1:
        raise InputError(
            f"product quantization: expected at least {2 * _POINTS_PER_CENTROID} items, "
            f"got {n_items}"
        )
    part_bits = min(able, most, bits)
    return Parts(min(bits // part_bits, width), part_bits)


def index_to_time(
    items: np.ndarray, bits: int, kind: Compression, part_bits: int, n_items: int | None = None
) -> faiss.Index:
    """Return an index of codes of ``bits`` whose search takes the time of trained ones.

    The time does not depend on what codes, centroids and rotations hold, so they are hardly
    trained.

    Args:
        items: float32 [items, d].
        bits: Size of an item's code; RaBitQ has two floats besides.
        kind: ``opq`` has a rotation of the query more than ``pq``.
        part_bits: Bits of a part, at most.
        n_items: How many codes to search, by repeating the items; by default those of ``items``.
    """
    if kind == "rabitq":
        index: faiss.Index = faiss.IndexRaBitQ(bits, faiss.METRIC_INNER_PRODUCT)
    else:
        parts = divide(len(items), items.shape[1], bits, part_bits)
        width = -(-items.shape[1] // parts.number) * parts.number
        size = max(parts.bits, _LEAST_PART_BITS)
        index = faiss.IndexPQ(width, parts.number, size, faiss.METRIC_INNER_PRODUCT)
        index.pq.cp.niter = 1
    if kind == "opq":
        index = faiss.IndexPreTransform(faiss.RandomRotationMatrix(index.d, index.d), index)
    rows = np.resize(items, (len(items), index.d))
    index.train(rows)
    index.add(rows if n_items is None else np.resize(rows, (n_items, index.d)))
    return index
