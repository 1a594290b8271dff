"""The index: items in tie order, searched by code, by vector, or by both."""

import json
from functools import cached_property
from pathlib import Path

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.files import atomic_write, load_array, save_array
from hashgnn.kernels import njit
from hashgnn.search import continuous, hamming
from hashgnn.search.parts import Items
from hashgnn.search.planes import to_planes

_ARRAYS = ("order", "planes", "vectors")
_DESCRIPTION = "index.json"
_FORMAT = 1
MAX_BITS = 1024
_CANDIDATE_LISTS = 4096  # held at a time: bounds the memory

Ranked = tuple[np.ndarray, np.ndarray]


class Index:
    """Exact top-k search over items that have codes, vectors, or both.

    Items are kept in a random order drawn once from ``tie_seed``; items that tie come out in
    that order, never in the order of their ids. Every search returns item ids int32 [Q, k], best
    first, and their distances (int32) or scores (float32); -1 and -1 or -inf where fewer than k
    items remain. ``exclude`` names items each query must not get.
    """

    def __init__(
        self, codes: np.ndarray | None = None, vectors: np.ndarray | None = None, tie_seed: int = 0
    ) -> None:
        """``codes`` uint8 [I, bytes], packed; ``vectors`` float32 [I, d]. InputError if unfit."""
        if codes is None and vectors is None:
            raise InputError("an index needs item codes, item vectors, or both")
        n_items = len(codes if codes is not None else vectors)  # type: ignore[arg-type]
        order = np.random.default_rng(tie_seed).permutation(n_items).astype(np.int32)
        self.order = order
        self.planes = None if codes is None else to_planes(fit_codes(codes, n_items)[order])
        self.vectors = None if vectors is None else _fit_vectors(vectors, n_items)[order]

    def __len__(self) -> int:
        """Number of items."""
        return len(self.order)

    def hamming(self, codes: np.ndarray, k: int, exclude: Csr | None = None) -> Ranked:
        """The ``k`` items nearest to each query code: ids and Hamming distances."""
        items = self._items(codes)
        found, distances = hamming.nearest(items, codes, k, self._barred(codes, exclude))
        return self._ids(found), distances

    def continuous(self, vectors: np.ndarray, k: int, exclude: Csr | None = None) -> Ranked:
        """The ``k`` items of largest inner product with each query vector: ids and scores."""
        items = self._item_vectors(vectors)
        found, scores = continuous.largest(vectors, items, k, self._barred(vectors, exclude))
        return self._ids(found), scores

    def hierarchical(
        self,
        codes: np.ndarray,
        vectors: np.ndarray,
        k: int,
        exclude: Csr | None = None,
        candidates: int = 500,
    ) -> Ranked:
        """The ``k`` best by inner product of the ``candidates`` nearest by code: ids and scores."""
        items, item_vectors = self._items(codes), self._item_vectors(vectors)
        _same_length(codes, vectors)
        barred = self._barred(codes, exclude)
        ids = np.empty((len(codes), k), dtype=np.int32)
        scores = np.empty((len(codes), k), dtype=np.float32)
        for start in range(0, len(codes), _CANDIDATE_LISTS):
            rows = slice(start, start + _CANDIDATE_LISTS)
            own = Csr(barred.indptr[start : rows.stop + 1], barred.indices)
            nearest, _ = hamming.nearest(items, codes[rows], candidates, own)
            found, scores[rows] = continuous.rerank(vectors[rows], item_vectors, nearest, k)
            ids[rows] = self._ids(found)
        return ids, scores

    def level_counts(
        self, codes: np.ndarray, k: int, exclude: Csr | None, relevant: Csr
    ) -> tuple[np.ndarray, np.ndarray]:
        """How many items, and how many ``relevant`` ones, lie at each distance of each query.

        Both int32 [Q, levels]; level d is Hamming distance d. Items are counted down to the
        level that holds rank ``k``; what is said of the levels beyond has no meaning.
        """
        items = self._items(codes)
        counts = hamming.level_counts(items, codes, k, self._barred(codes, exclude))
        wanted = self._barred(codes, relevant)
        rows = np.repeat(np.arange(len(codes)), np.diff(wanted.indptr))
        cells = rows * counts.shape[1] + hamming.pair_distances(items, codes, wanted)
        among = np.bincount(cells, minlength=counts.size).astype(np.int32)
        return counts, among.reshape(counts.shape)

    def save(self, folder: Path | str) -> None:
        """Write the index as a folder of ``.npy`` files; its description comes last."""
        folder = Path(folder)
        (folder / _DESCRIPTION).unlink(missing_ok=True)
        present = [name for name in _ARRAYS if getattr(self, name) is not None]
        for name in present:
            save_array(folder / f"{name}.npy", getattr(self, name))
        with atomic_write(folder / _DESCRIPTION) as temporary:
            temporary.write_text(json.dumps({"format": _FORMAT, "arrays": present}) + "\n")

    @classmethod
    def load(cls, folder: Path | str) -> "Index":
        """Map an index that ``save`` wrote into memory; ``InputError`` if it is not whole."""
        folder = Path(folder)
        try:
            description = json.loads((folder / _DESCRIPTION).read_text())
        except (OSError, ValueError) as error:
            raise InputError(f"{folder}: no saved index ({error}); build and save it") from error
        if description.get("format") != _FORMAT:
            raise InputError(f"{folder}: of another version; build and save the index again")
        index = cls.__new__(cls)
        for name in _ARRAYS:
            path = folder / f"{name}.npy"
            present = name in description["arrays"]
            setattr(index, name, load_array(path, memory_map=True) if present else None)
        return index

    def _items(self, codes: np.ndarray) -> Items:
        """The items' codes, if they fit the queries' ``codes``."""
        if self.planes is None:
            raise InputError("this index has no codes; build it with item codes")
        fit_codes(codes, len(codes), self.planes.shape[1] // 8)
        return Items(self.planes, len(self))

    def _item_vectors(self, vectors: np.ndarray) -> np.ndarray:
        """The items' vectors, if they fit the queries' ``vectors``."""
        if self.vectors is None:
            raise InputError("this index has no vectors; build it with item vectors")
        _fit_vectors(vectors, len(vectors), self.vectors.shape[1])
        return self.vectors

    def _barred(self, queries: np.ndarray, exclude: Csr | None) -> Csr:
        """``exclude`` in positions instead of ids, ascending."""
        if exclude is None:
            return Csr(np.zeros(len(queries) + 1, np.int64), np.empty(0, np.int32))
        if len(exclude.indptr) != len(queries) + 1:
            rows = len(exclude.indptr) - 1
            raise InputError(f"{rows} rows of items for {len(queries)} queries; give one row each")
        places = self._positions[exclude.indices]
        _sort_rows(exclude.indptr, places)
        return Csr(exclude.indptr, places)

    @cached_property
    def _positions(self) -> np.ndarray:
        """Where each item lies, the inverse of ``order``: made once, as it costs a pass."""
        positions = np.empty(len(self), dtype=np.int32)
        positions[self.order] = np.arange(len(self), dtype=np.int32)
        return positions

    def _ids(self, positions: np.ndarray) -> np.ndarray:
        ids = np.empty_like(positions)
        _take(self.order, positions, ids)
        return ids


def fit_codes(codes: np.ndarray, rows: int, width: int | None = None) -> np.ndarray:
    """``codes``, if they are uint8 [rows, width] of up to ``MAX_BITS``; else ``InputError``."""
    shape = f"uint8 [{rows}, {'bytes' if width is None else width}]"
    if codes.dtype != np.uint8 or codes.ndim != 2 or len(codes) != rows:
        raise InputError(f"codes are {codes.dtype} {list(codes.shape)}, expected {shape}")
    if not 1 <= codes.shape[1] <= MAX_BITS // 8 or codes.shape[1] != (width or codes.shape[1]):
        raise InputError(f"codes have {codes.shape[1]} bytes, expected {width or '1 to 128'}")
    return codes


def _fit_vectors(vectors: np.ndarray, rows: int, width: int | None = None) -> np.ndarray:
    shape = f"float32 [{rows}, {'d' if width is None else width}]"
    fits = vectors.ndim == 2 and len(vectors) == rows and width in (None, vectors.shape[1])
    if vectors.dtype != np.float32 or not fits:
        raise InputError(f"vectors are {vectors.dtype} {list(vectors.shape)}, expected {shape}")
    return vectors


def _same_length(codes: np.ndarray, vectors: np.ndarray) -> None:
    if len(codes) != len(vectors):
        raise InputError(f"{len(codes)} query codes but {len(vectors)} query vectors")


@njit(cache=True)
def _take(order: np.ndarray, positions: np.ndarray, ids: np.ndarray) -> None:
    """The items at ``positions``, -1 where there is none."""
    for row in range(len(positions)):
        for rank in range(positions.shape[1]):
            position = positions[row, rank]
            ids[row, rank] = order[position] if position >= 0 else -1


@njit(cache=True)
def _sort_rows(indptr: np.ndarray, values: np.ndarray) -> None:
    for row in range(len(indptr) - 1):
        values[indptr[row] : indptr[row + 1]].sort()
