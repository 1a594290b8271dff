"""Approximate Hamming search for large, clustered corpora: inverted lists of FAISS.

Codes are grouped around centers by k-means; a query looks only into the lists of the centers
nearest to it. Needs the optional extra ``faiss``. `docs/search.md` has what it costs in
recall and gains in time, and when the exact scan is the better choice.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from hashgnn.errors import InputError
from hashgnn.files import atomic_write
from hashgnn.search.index import Ranked, fit_codes

_CODES = "lists.faiss"
_DESCRIPTION = "approximate.json"
_SAMPLE = 40  # codes a list that k-means sees
_ROUNDS = 4  # of k-means


class ApproximateIndex:
    """Top-k by Hamming distance among the items of the ``probes`` nearest of ``lists`` lists.

    ``probes`` may be changed between searches: more find more and take longer. ``probes`` equal
    to ``lists`` looks at every item. Items that tie come out in no particular order.
    """

    def __init__(self, codes: np.ndarray, lists: int = 4096, probes: int = 16) -> None:
        """``codes`` uint8 [I, bytes], packed; ``InputError`` if unfit or FAISS is missing."""
        fit_codes(codes, len(codes))
        if not 1 <= lists <= len(codes):
            raise InputError(f"lists: {lists}; give 1 to {len(codes)}, the number of items")
        faiss, bits = _faiss(), codes.shape[1] * 8
        self.probes = probes
        self._flat = faiss.IndexBinaryFlat(bits)  # the index does not keep it alive
        self._index = faiss.IndexBinaryIVF(self._flat, bits, lists)
        self._index.cp.niter, self._index.cp.seed = _ROUNDS, 0
        sample = np.random.default_rng(0).permutation(len(codes))[: _SAMPLE * lists]
        self._index.cp.min_points_per_centroid = 1
        self._index.train(codes[np.sort(sample)])
        self._index.add(codes)

    def __len__(self) -> int:
        """Number of items."""
        return int(self._index.ntotal)

    def hamming(self, codes: np.ndarray, k: int) -> Ranked:
        """Ids and distances of the ``k`` nearest items found, int32 [Q, k]; -1 where fewer are."""
        fit_codes(codes, len(codes), self._index.d // 8)
        if not 1 <= self.probes <= self._index.nlist:
            raise InputError(f"probes: {self.probes}; give 1 to {self._index.nlist} (lists)")
        self._index.nprobe = self.probes
        distances, ids = self._index.search(codes, k)
        return ids.astype(np.int32), np.where(ids < 0, np.int32(-1), distances)

    def save(self, folder: Path) -> None:
        """Write the index into a folder; its description comes last."""
        (folder / _DESCRIPTION).unlink(missing_ok=True)
        with atomic_write(folder / _CODES) as temporary:
            _faiss().write_index_binary(self._index, str(temporary))
        with atomic_write(folder / _DESCRIPTION) as temporary:
            temporary.write_text(json.dumps({"probes": self.probes}) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "ApproximateIndex":
        """Read an index that ``save`` wrote; ``InputError`` if it is not whole."""
        faiss = _faiss()
        index = cls.__new__(cls)
        try:
            index.probes = json.loads((folder / _DESCRIPTION).read_text())["probes"]
            index._index = faiss.read_index_binary(str(folder / _CODES))
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise InputError(f"{folder}: no saved index ({error}); build and save it") from error
        return index


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise InputError("approximate search needs FAISS; pip install 'hashgnn[faiss]'") from error
    return faiss
