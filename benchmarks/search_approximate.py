"""Approximate indexes beside the exact scan: recall against time, on codes of two kinds.

``python -m benchmarks.search_approximate 10000000`` prints the rows alone.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial

import faiss
import numpy as np

from benchmarks.search_measure import Answer, Row, batch, compared, measure, set_threads
from hashgnn.search import Index
from hashgnn.search.approximate import ApproximateIndex

BITS, K = 64, 100
CLUSTERS, SPREAD = 10_000, 0.3  # centers, and deviation around them; the centers' own is 1
LISTS = 4096
PROBES = (1, 4, 16, 64)
HASHES, FLIPS = 4, (0, 1)  # of multi-index hashing: parts of a code, bits that may differ in one
AT_ONCE = 1 << 20  # codes drawn


def compare_approximate(n_items: int, threads: Sequence[int]) -> Iterator[list[Row]]:
    """A group for each number of threads; the approximate index is in the place of the search."""
    groups: dict[int, list[Row]] = {number: [] for number in threads}
    for kind in ("random", "clustered") if threads else ():
        set_threads(max(threads))
        items, queries = _codes(kind, n_items, batch(n_items))
        exact, seconds = Index(items), {}
        start = time.perf_counter()
        lists = ApproximateIndex(items, lists=min(LISTS, n_items))
        seconds["inverted lists"] = time.perf_counter() - start
        start = time.perf_counter()
        hashes = faiss.IndexBinaryMultiHash(BITS, HASHES, BITS // HASHES)
        hashes.add(items)
        seconds["FAISS IndexBinaryMultiHash"] = time.perf_counter() - start
        for number in threads:
            set_threads(number)
            answers = _answers(exact, lists, hashes, queries)
            times = measure(answers, len(queries), number)
            farthest = exact.hamming(queries, K)[1].max(axis=1, keepdims=True)
            case: Row = {"part": "approximate", "items": n_items, "bits": BITS, "k": K}
            for name, answer in list(answers.items())[1:]:
                row = compared(name, "hamming, exact", times, {**case, "threads": number})
                found = answer(len(queries))[1]  # type: ignore[index]
                within = (found >= 0) & (found <= farthest)
                built = seconds[name.split(",")[0]]
                row |= {"codes": kind, "recall": round(float(within.mean()), 4)}
                row["seconds_to_build"] = round(built, 2)
                groups[number].append(row)
    yield from groups.values()


def _answers(
    exact: Index, lists: ApproximateIndex, hashes: faiss.IndexBinaryMultiHash, queries: np.ndarray
) -> dict[str, Answer]:
    """Each returns ids and distances; the first is the exact scan."""

    def probing(probes: int, n: int) -> object:
        lists.probes = probes
        return lists.hamming(queries[:n], K)

    def flipping(flips: int, n: int) -> object:
        hashes.nflip = flips
        distances, ids = hashes.search(queries[:n], K)
        return ids, np.where(ids < 0, -1, distances)

    answers: dict[str, Answer] = {"hamming, exact": lambda n: exact.hamming(queries[:n], K)}
    for probes in PROBES:
        if probes <= lists._index.nlist:
            name = f"inverted lists, {probes} of {lists._index.nlist} probed"
            answers[name] = partial(probing, probes)
    for flips in FLIPS:
        name = f"FAISS IndexBinaryMultiHash, {HASHES} hashes, {flips} flips"
        answers[name] = partial(flipping, flips)
    return answers


def _codes(kind: str, n_items: int, n_queries: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of items and queries: uniform, or signs of a mixture of Gaussians."""
    random = np.random.default_rng(0)
    centers = random.standard_normal((CLUSTERS, BITS), dtype=np.float32)

    def draw(rows: int) -> np.ndarray:
        if kind == "random":
            return random.integers(0, 256, (rows, BITS // 8), dtype=np.uint8)
        points = SPREAD * random.standard_normal((rows, BITS), dtype=np.float32)
        points += centers[random.integers(0, CLUSTERS, rows)]
        return np.packbits(points >= 0, axis=1, bitorder="little")

    sizes = [min(AT_ONCE, n_items - start) for start in range(0, n_items, AT_ONCE)]
    return np.concatenate([draw(size) for size in sizes]), draw(n_queries)


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for rows in compare_approximate(int(sys.argv[1]), [1]):
        print(*map(json.dumps, rows), sep="\n")
