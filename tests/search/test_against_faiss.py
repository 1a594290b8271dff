"""FAISS finds the same distances and, where nothing ties, the same items."""

import faiss
import numpy as np

from hashgnn.search import Index


def test_hamming_agrees_with_faiss() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 256, (5003, 8), dtype=np.uint8)
    queries = random.integers(0, 256, (37, 8), dtype=np.uint8)
    peer = faiss.IndexBinaryFlat(64)
    peer.add(codes)
    expected, ids = peer.search(queries, 100)
    found, distances = Index(codes).hamming(queries, 100)
    np.testing.assert_array_equal(distances, expected)
    inside = expected < expected[:, -1:]  # the last level is cut, each in its own way
    for row in range(len(queries)):
        assert set(found[row][inside[row]]) == set(ids[row][inside[row]])


def test_inner_product_agrees_with_faiss() -> None:
    random = np.random.default_rng(0)
    vectors = random.standard_normal((5003, 32), dtype=np.float32)
    queries = random.standard_normal((37, 32), dtype=np.float32)
    peer = faiss.IndexFlatIP(32)
    peer.add(vectors)
    expected, ids = peer.search(queries, 100)
    found, scores = Index(vectors=vectors).continuous(queries, 100)
    np.testing.assert_array_equal(found, ids)
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)
