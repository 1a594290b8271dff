"""One search served by a process of its own, which maps the index into memory.

Prints a row of serving.json.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
from threadpoolctl import threadpool_limits

from hashgnn.evaluation.time_searches import BUSY, time_alone, time_once
from hashgnn.files import load_array
from hashgnn.kernels import set_threads
from hashgnn.search import Index

Row = dict[str, object]
Search = Callable[[np.ndarray, np.ndarray, int], object]  # codes and vectors of queries, k

CANDIDATES = 500
WARM = 5  # queries before the clock runs
BATCHES = 5


def _hamming(folder: Path) -> Search:
    index = Index.load(folder / "index", verify=False)
    return lambda codes, vectors, k: index.hamming(codes, k)


def _hierarchical(folder: Path) -> Search:
    index = Index.load(folder / "index", verify=False)
    return lambda codes, vectors, k: index.hierarchical(codes, vectors, k, candidates=CANDIDATES)


def _continuous(folder: Path) -> Search:
    index = Index.load(folder / "index", verify=False)
    return lambda codes, vectors, k: index.continuous(vectors, k)


def _faiss_binary(folder: Path) -> Search:
    index = faiss.read_index_binary(str(folder / "binary.faiss"), faiss.IO_FLAG_MMAP_IFC)
    return lambda codes, vectors, k: index.search(codes, k)


def _faiss_floats(folder: Path) -> Search:
    index = faiss.read_index(str(folder / "floats.faiss"), faiss.IO_FLAG_MMAP_IFC)
    return lambda codes, vectors, k: index.search(vectors, k)


SERVERS: dict[str, Callable[[Path], Search]] = {
    "hamming": _hamming,
    "FAISS IndexBinaryFlat": _faiss_binary,
    f"hierarchical, {CANDIDATES} candidates": _hierarchical,
    "continuous": _continuous,
    "FAISS IndexFlatIP": _faiss_floats,
}


def compile_kernels(bits: int) -> None:
    """As the first search ever on a machine does: it is kept on disk and no part of serving."""
    codes = np.zeros((CANDIDATES, bits // 8), dtype=np.uint8)
    vectors = np.zeros((CANDIDATES, bits), dtype=np.float32)
    index = Index(codes, vectors)
    index.hierarchical(codes[:1], vectors[:1], 1, candidates=1)
    index.continuous(vectors[:1], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", choices=SERVERS)
    parser.add_argument("folder", type=Path)
    for name in ("threads", "k", "queries", "batch"):
        parser.add_argument(f"--{name}", type=int, required=True)
    args = parser.parse_args()
    set_threads(args.threads)
    faiss.omp_set_num_threads(args.threads)
    threadpool_limits(args.threads)
    print(json.dumps({"search": args.server, "threads": args.threads, "k": args.k, **serve(args)}))


def serve(args: argparse.Namespace) -> Row:
    """Seconds to the first answer, milliseconds of a query alone, queries a second together."""
    codes = load_array(args.folder / "query_codes.npy")
    vectors = load_array(args.folder / "query_vectors.npy")
    started = time.perf_counter()
    search = SERVERS[args.server](args.folder)
    search(codes[:1], vectors[:1], args.k)
    first = time.perf_counter() - started

    def answer(start: int, number: int = 1) -> None:
        rows = slice(start, start + number)
        search(codes[rows], vectors[rows], args.k)

    for number in range(WARM):
        answer(number)
    singles = [time_once(lambda: answer(n), args.threads) for n in range(args.queries)]  # noqa: B023
    answer(0, args.batch)
    batches = [time_alone(lambda: answer(0, args.batch), args.threads, 2) for _ in range(BATCHES)]
    alone = 1000 * np.array([one.seconds for one in singles])
    busy = float(np.median([one.busy for one in batches]))
    return {
        "first_seconds": round(first, 3),
        "p50_ms": round(float(np.percentile(alone, 50)), 3),
        "p99_ms": round(float(np.percentile(alone, 99)), 3),
        "queries_a_second": round(args.batch / float(np.median([b.seconds for b in batches])), 1),
        "busy": round(busy, 3),
        "undisturbed": busy >= BUSY,
    }


if __name__ == "__main__":
    main()
