"""What the search is compared with: the same top-k by libraries that a user could install."""

from dataclasses import dataclass

import faiss
import numpy as np
import torch
from usearch.index import MetricKind
from usearch.index import search as usearch_search

from benchmarks.search_measure import Answer
from hashgnn.search import Index

TORCH_BLOCK = 64


@dataclass
class Corpus:
    """Random codes and vectors of ``bits`` bits and as many dimensions, and queries for them."""

    codes: np.ndarray
    queries: np.ndarray
    vectors: np.ndarray | None
    query_vectors: np.ndarray | None

    @classmethod
    def random(cls, n_items: int, bits: int, n_queries: int, with_vectors: bool) -> "Corpus":
        random = np.random.default_rng(bits)

        def codes(rows: int) -> np.ndarray:
            return random.integers(0, 256, (rows, bits // 8), dtype=np.uint8)

        def vectors(rows: int) -> np.ndarray | None:
            return random.standard_normal((rows, bits), dtype=np.float32) if with_vectors else None

        return cls(codes(n_items), codes(n_queries), vectors(n_items), vectors(n_queries))


@dataclass
class Contenders:
    """Our index and the peers', over the same items."""

    corpus: Corpus
    index: Index
    binary: faiss.IndexBinaryFlat
    floats: faiss.IndexFlatIP | None
    signs: faiss.IndexFlatIP | None

    @classmethod
    def over(cls, n_items: int, bits: int, n_queries: int, with_vectors: bool) -> "Contenders":
        corpus = Corpus.random(n_items, bits, n_queries, with_vectors)
        binary, signs, floats = binary_flat(corpus.codes), None, None
        if corpus.vectors is not None:
            signs = _inner_product(_signs(corpus.codes))
            floats = _inner_product(corpus.vectors)
        return cls(corpus, Index(corpus.codes, corpus.vectors), binary, floats, signs)

    @property
    def n_queries(self) -> int:
        return len(self.corpus.queries)

    def answers(self, k: int, threads: int) -> dict[str, Answer]:
        found = self._ours(k) | self._binary_peers(k, threads)
        return found | (self._float_peers(k) if self.floats else {})

    def _ours(self, k: int) -> dict[str, Answer]:
        codes, vectors, index = self.corpus.queries, self.corpus.query_vectors, self.index
        answers: dict[str, Answer] = {"hamming": lambda n: index.hamming(codes[:n], k)}
        if vectors is None:
            return answers

        def hierarchical(candidates: int) -> Answer:
            most = max(k, candidates)
            return lambda n: index.hierarchical(codes[:n], vectors[:n], k, candidates=most)

        answers["hierarchical, 200 candidates"] = hierarchical(200)
        answers["hierarchical, 500 candidates"] = hierarchical(500)
        answers["continuous"] = lambda n: index.continuous(vectors[:n], k)
        return answers

    def _binary_peers(self, k: int, threads: int) -> dict[str, Answer]:
        """Searches over packed codes."""
        codes, queries = self.corpus.codes, self.corpus.queries
        words = _words(codes)

        def numpy_search(n: int) -> list[np.ndarray]:
            distances = (
                np.bitwise_count(words ^ query).sum(axis=1, dtype=np.uint16)
                for query in _words(queries[:n])
            )
            return [np.argpartition(each, min(k, len(each) - 1))[:k] for each in distances]

        answers: dict[str, Answer] = {
            "FAISS IndexBinaryFlat": lambda n: self.binary.search(queries[:n], k),
            "USearch exact": lambda n: usearch_search(
                codes, queries[:n], k, MetricKind.Hamming, exact=True, threads=threads
            ),
        }
        if threads == 1:  # numpy has one
            answers["numpy bitwise_count"] = numpy_search
        return answers

    def _float_peers(self, k: int) -> dict[str, Answer]:
        """Continuous searches, and Hamming search as the released code does it, over floats."""
        floats, signs, vectors = self.floats, self.signs, self.corpus.query_vectors
        assert floats is not None
        assert signs is not None
        assert vectors is not None
        items, sign_queries = torch.from_numpy(self.corpus.vectors), _signs(self.corpus.queries)

        def torch_search(n: int) -> list[object]:
            blocks = torch.from_numpy(vectors[:n]).split(TORCH_BLOCK)
            return [torch.topk(block @ items.T, min(k, len(items))) for block in blocks]

        return {
            "FAISS IndexFlatIP over +-1": lambda n: signs.search(sign_queries[:n], k),
            "FAISS IndexFlatIP": lambda n: floats.search(vectors[:n], k),
            "torch matmul and topk": torch_search,
        }


def binary_flat(codes: np.ndarray) -> faiss.IndexBinaryFlat:
    index = faiss.IndexBinaryFlat(codes.shape[1] * 8)
    index.add(codes)
    return index


def _inner_product(vectors: np.ndarray) -> faiss.IndexFlatIP:
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def _signs(codes: np.ndarray) -> np.ndarray:
    """Codes as the released code holds them: floats, +1 and -1."""
    signs = np.unpackbits(codes, axis=1, bitorder="little").astype(np.float32)
    signs *= 2
    signs -= 1
    return signs


def _words(codes: np.ndarray) -> np.ndarray:
    width = codes.shape[1]
    return codes.view(np.uint64) if width % 8 == 0 else codes.view(np.uint32)
