"""Searches by FAISS: approximate Hamming search, and that of compressed items by a float query.

Inverted lists serve large, clustered corpora. Codes are grouped around centers by k-means; a query
looks only into the lists of the centers nearest to it. `docs/search.md` has what it costs in recall
and gains in time, and when the exact scan is the better choice.

For items compressed by product quantization or RaBitQ there are the parts that a catalogue can
train, and indexes to time their search by.
"""

import json
from os import PathLike
from pathlib import Path
from typing import Any, Literal, NamedTuple

import faiss
import numpy as np

from hashgnn.errors import InputError
from hashgnn.files import atomic_write, file_checksum, load_object, read_together, replace_together
from hashgnn.search.index import Ranked, padded
from hashgnn.search.validation import fit_codes, whole_number

_CODES = "lists.faiss"
_DESCRIPTION = "approximate.json"
_SAMPLE = 40  # codes per list for k-means
_ROUNDS = 4  # iterations of k-means


class ApproximateIndex:
    """Find the top k by Hamming distance in the ``probes`` nearest of ``lists`` lists.

    ``probes`` may be changed between searches; larger values find more and take longer. With
    ``probes`` equal to ``lists`` every item is scanned. The order of ties is arbitrary.
    """

    def __init__(self, codes: np.ndarray, lists: int = 4096, probes: int = 16) -> None:
        """Build the index of packed ``codes`` uint8 [I, bytes].

        Raises ``InputError`` for invalid arguments, or if FAISS is missing.
        """
        codes = fit_codes(codes)
        lists = whole_number("lists", lists, most=len(codes))
        bits = codes.shape[1] * 8
        self.probes = probes
        self._flat = faiss.IndexBinaryFlat(bits)  # the index does not keep it alive
        self._index: Any = faiss.IndexBinaryIVF(self._flat, bits, lists)
        self._index.cp.niter, self._index.cp.seed = _ROUNDS, 0
        sample = np.random.default_rng(0).permutation(len(codes))[: _SAMPLE * lists]
        self._index.cp.min_points_per_centroid = 1
        self._index.train(codes[np.sort(sample)])
        self._index.add(codes)

    def __len__(self) -> int:
        """Return the number of items."""
        return int(self._index.ntotal)

    def hamming(self, codes: np.ndarray, k: int) -> Ranked:
        """Return ids and distances of the ``k`` nearest items found: int32 [Q, k], padded by -1."""
        codes, k = fit_codes(codes, width=self._index.d // 8), whole_number("k", k)
        self._index.nprobe = whole_number("probes", self.probes, most=self._index.nlist)
        distances, ids = self._index.search(codes, min(k, len(self)))
        distances = np.where(ids < 0, np.int32(-1), distances)
        return padded(ids.astype(np.int32), k, -1), padded(distances, k, -1)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the index to a folder, replacing an existing one."""
        with replace_together(Path(folder), [_CODES, _DESCRIPTION]) as staged:
            with atomic_write(staged / _CODES) as temporary:
                faiss.write_index_binary(self._index, str(temporary))
            checksum = str(file_checksum(staged / _CODES, "sha256"))
            with atomic_write(staged / _DESCRIPTION) as temporary:
                temporary.write_text(json.dumps({"probes": self.probes, "lists": checksum}) + "\n")

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> "ApproximateIndex":
        """Read an index that ``save`` wrote; raise ``InputError`` if it is incomplete."""
        folder, index = Path(folder), cls.__new__(cls)
        try:
            with read_together(folder):
                if not (folder / _DESCRIPTION).exists():
                    raise FileNotFoundError(f"{_DESCRIPTION} is missing")
                description = load_object(folder / _DESCRIPTION)
                found = str(file_checksum(folder / _CODES, "sha256"))
                if description.get("lists", found) != found:
                    raise InputError(f"{folder / _CODES}: altered or damaged; save the index again")
                index.probes = whole_number(f"{folder}: probes", description.get("probes"))
                index._index = faiss.read_index_binary(str(folder / _CODES))
        except (OSError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"{folder}: not a saved index ({reason}); build and save it"
            ) from error
        return index


# Compressed items.

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
