"""What the search is compared with: the same top-k by libraries that a user could install."""

from collections.abc import Callable
from dataclasses import dataclass

import faiss
import numba
import numpy as np
import torch
from usearch.index import MetricKind
from usearch.index import search as usearch_search

from hashgnn.search import Index

Answer = Callable[[int], object]  # runs the search for so many queries

TORCH_BLOCK = 64


@dataclass
class Corpus:
    """Random codes and vectors of ``bits`` bits and as many dimensions, and queries for them."""

    codes: np.ndarray
    queries: np.ndarray
    vectors: np.ndarray | None
    query_vectors: np.ndarray | None

    @property
    def bits(self) -> int:
        return self.codes.shape[1] * 8

    def signs(self) -> tuple[np.ndarray, np.ndarray]:
        """Codes as the released code holds them: floats, +1 and -1."""
        items, queries = (
            np.unpackbits(codes, axis=1, bitorder="little").astype(np.float32) * 2 - 1
            for codes in (self.codes, self.queries)
        )
        return items, queries


def make_corpus(n_items: int, bits: int, n_queries: int, with_vectors: bool) -> Corpus:
    random = np.random.default_rng(bits)

    def codes(rows: int) -> np.ndarray:
        return random.integers(0, 256, (rows, bits // 8), dtype=np.uint8)

    def vectors(rows: int) -> np.ndarray | None:
        return random.standard_normal((rows, bits), dtype=np.float32) if with_vectors else None

    return Corpus(codes(n_items), codes(n_queries), vectors(n_items), vectors(n_queries))


def set_threads(threads: int) -> None:
    numba.set_num_threads(threads)
    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)


def ours(corpus: Corpus, index: Index, k: int) -> dict[str, Answer]:
    answers: dict[str, Answer] = {"hamming": lambda n: index.hamming(corpus.queries[:n], k)}
    if corpus.query_vectors is not None:
        codes, vectors = corpus.queries, corpus.query_vectors

        def hierarchical(candidates: int) -> Answer:
            return lambda n: index.hierarchical(
                codes[:n], vectors[:n], k, candidates=max(k, candidates)
            )

        answers["hierarchical, 200 candidates"] = hierarchical(200)
        answers["hierarchical, 500 candidates"] = hierarchical(500)
        answers["continuous"] = lambda n: index.continuous(vectors[:n], k)
    return answers


def binary_peers(corpus: Corpus, k: int, threads: int) -> dict[str, Answer]:
    """Searches over packed codes."""
    flat = faiss.IndexBinaryFlat(corpus.bits)
    flat.add(corpus.codes)

    def numpy_search(n: int) -> np.ndarray:
        answers = [
            np.argpartition(np.bitwise_count(words ^ query).sum(axis=1, dtype=np.uint16), k)[:k]
            for query in _words(corpus.queries[:n])
        ]
        return np.array(answers)

    words = _words(corpus.codes)
    peers: dict[str, Answer] = {
        "FAISS IndexBinaryFlat": lambda n: flat.search(corpus.queries[:n], k),
        "USearch exact": lambda n: usearch_search(
            corpus.codes, corpus.queries[:n], k, MetricKind.Hamming, exact=True, threads=threads
        ),
    }
    if threads == 1:  # numpy has one
        peers["numpy bitwise_count"] = numpy_search
    return peers


def sign_peers(corpus: Corpus, k: int) -> dict[str, Answer]:
    """Hamming search as the released code does it: by inner product of floats."""
    items, queries = corpus.signs()
    flat = faiss.IndexFlatIP(corpus.bits)
    flat.add(items)
    return {"FAISS IndexFlatIP over +-1": lambda n: flat.search(queries[:n], k)}


def float_peers(corpus: Corpus, k: int) -> dict[str, Answer]:
    """Continuous searches."""
    assert corpus.vectors is not None
    assert corpus.query_vectors is not None
    queries = corpus.query_vectors
    flat = faiss.IndexFlatIP(corpus.bits)
    flat.add(corpus.vectors)
    items = torch.from_numpy(corpus.vectors)

    def torch_search(n: int) -> list[object]:
        blocks = torch.from_numpy(queries[:n]).split(TORCH_BLOCK)
        return [torch.topk(block @ items.T, k) for block in blocks]

    return {
        "FAISS IndexFlatIP": lambda n: flat.search(queries[:n], k),
        "torch matmul and topk": torch_search,
    }


def _words(codes: np.ndarray) -> np.ndarray:
    width = codes.shape[1]
    return codes.view(np.uint64) if width % 8 == 0 else codes.view(np.uint32)
