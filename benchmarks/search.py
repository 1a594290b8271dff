"""Search side by side with its peers: ``python -m benchmarks.search`` (all sizes, about an hour).

Writes search.json, a list of comparisons, search.svg, and search.provenance.json.
All searches of a size run in one process, in turns, with equal numbers of threads; a figure is
the median of the rounds. A round whose threads did not get their processors is run again.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads of one library stall another's

from benchmarks import search_limits as limits
from benchmarks import search_peers as peers
from benchmarks.search_evaluation import DIMENSIONS, ITEMS, USERS, Method
from benchmarks.search_figure import draw
from hashgnn.files import atomic_write
from hashgnn.provenance.record import Recorder
from hashgnn.search import Index

Row = dict[str, object]

SIZES = (4_096, 40_000, 1_000_000, 10_000_000)
BITS = (32, 64, 128)
CUTOFFS = (50, 100, 500)
PAIRS = 1 << 28  # distances a batch asks for: fewer queries of more items
BATCH = (64, 4096)  # fewest and most queries
FEWEST = 20  # queries: with fewer FAISS takes another path
SECONDS = 0.3  # a round of one search, if FEWEST queries allow it
ROUNDS = 5
MEMORY = 0.6  # share of the machine's that a comparison may take
BUSY = 0.9  # share of its processors' time that a search has to get
RETRIES = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=SIZES)
    parser.add_argument("--bits", type=int, nargs="+", default=BITS)
    parser.add_argument("--k", type=int, nargs="+", default=CUTOFFS)
    parser.add_argument("--threads", type=int, nargs="+", default=(1, 2))
    parser.add_argument("--large", type=int, default=100_000_000, help="items, codes only; 0: none")
    parser.add_argument("--output", type=Path, default=Path("benchmarks"))
    args = parser.parse_args()
    recorder = Recorder({key: str(value) for key, value in vars(args).items()})
    rows: list[Row] = []
    for row in compare_all(args):
        rows.append(row)
        print(json.dumps(row), flush=True)
        with atomic_write(args.output / "search.json") as temporary:
            temporary.write_text(json.dumps(rows, indent=1) + "\n")
    draw(rows, args.output / "search.svg")
    recorder.write(args.output / "search.provenance.json", {})


def compare_all(args: argparse.Namespace) -> Iterator[Row]:
    for threads in args.threads:
        peers.set_threads(threads)
        bandwidth = limits.read_bandwidth()
        for n_items, bits in itertools.product(args.items, args.bits):
            yield from compare_searches(n_items, bits, args.k, threads)
            yield from compare_limits(n_items, bits, threads, bandwidth)
        if args.large:
            yield from compare_limits(args.large, 64, threads, bandwidth)
        yield from compare_evaluation(threads)


def compare_searches(
    n_items: int, bits: int, cutoffs: Sequence[int], threads: int
) -> Iterator[Row]:
    with_vectors = n_items * bits * 4 * 3 < MEMORY * _memory()
    corpus = peers.make_corpus(n_items, bits, _batch(n_items), with_vectors)
    index = Index(corpus.codes, corpus.vectors)
    for k in cutoffs:
        case: Row = {"items": n_items, "bits": bits, "k": k, "threads": threads}
        answers = peers.ours(corpus, index, k) | peers.binary_peers(corpus, k, threads)
        if with_vectors:
            answers |= peers.sign_peers(corpus, k) | peers.float_peers(corpus, k)
        else:
            reason = f"vectors and a peer's copies exceed {MEMORY:.0%} of the memory"
            yield {"search": "continuous", "peer": "all"} | case | {"skipped": reason}
        times = measure(answers, len(corpus.queries), threads)
        yield from (_compared(ours, peer, times, case) for ours, peer in _pairs(times))


def _pairs(times: dict[str, "Times"]) -> Iterator[tuple[str, str]]:
    """Each search of ours with the peers it could replace, and with our own continuous one."""
    binary = [name for name in times if "Binary" in name or "USearch" in name or "numpy" in name]
    floats = [name for name in times if name.endswith(("IndexFlatIP", "topk"))]
    signs = [name for name in times if name.endswith("+-1")]
    yield from itertools.product(["hamming"], binary + signs + floats)
    if "continuous" in times:
        yield "hamming", "continuous"
        yield from itertools.product(["continuous"], floats)
        for candidates in (200, 500):
            name = f"hierarchical, {candidates} candidates"
            yield from itertools.product([name], [*floats, "continuous"])


def compare_limits(n_items: int, bits: int, threads: int, bandwidth: float) -> Iterator[Row]:
    """The scan beside what reading the codes, or counting their bits, takes at the least."""
    corpus = peers.make_corpus(n_items, bits, _batch(n_items), with_vectors=False)
    index = Index(corpus.codes)
    k, size = 100, n_items * bits // 8
    case: Row = {"items": n_items, "bits": bits, "k": k, "threads": threads}
    peak = limits.popcount_rate() * threads
    floors = {"one query": size / bandwidth, "batch": size / peak}
    for (name, seconds), limit in zip(
        floors.items(), ("read bandwidth", "popcount in cache"), strict=True
    ):
        queries = 1 if name == "one query" else len(corpus.queries)
        label = f"hamming, {name}"
        answer = {label: lambda n: index.hamming(corpus.queries[:n], k)}
        times = measure(answer, queries, threads) | {limit: Times([seconds * 1e6], queries, 1.0)}
        yield _compared(label, limit, times, case) | {
            "bytes_a_second": size / times[label].median * 1e6
        }


def compare_evaluation(threads: int) -> Iterator[Row]:
    """All metrics at all cutoffs for all users, by one search and by all three."""
    method, peer = Method(), "LightGCN-PyTorch test procedure"
    answers: dict[str, peers.Answer] = {
        "evaluation, hamming": lambda n: method.by_us("hamming"),
        "evaluation, all searches": lambda n: method.by_us("hamming", "hierarchical", "continuous"),
        peer: lambda n: method.by_lightgcn(),
    }
    times = measure(answers, 1, threads)
    for kept in times.values():  # a round is one evaluation of all users
        kept.rounds, kept.queries = [each / USERS for each in kept.rounds], USERS
    case: Row = {"items": ITEMS, "bits": DIMENSIONS, "k": 200, "threads": threads}
    command = [sys.executable, "-m", "benchmarks.search_evaluation"]
    peak = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for name in list(answers)[:2]:
        yield _compared(name, peer, times, case) | {"peak_memory_mb": peak // 1024}


@dataclass
class Times:
    """Microseconds a query, round by round, and the share of its threads that it got."""

    rounds: list[float]
    queries: int
    busy: float

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


def measure(answers: dict[str, peers.Answer], n_queries: int, threads: int) -> dict[str, Times]:
    """Time the searches in turns, each with as many queries as a round has time for."""
    times = {}
    for name, answer in answers.items():
        few = min(FEWEST, n_queries)
        answer(few)  # compiles, warms
        seconds, _ = _time(answer, few)
        fitting = int(SECONDS / seconds * few)
        times[name] = Times([], min(n_queries, max(few, fitting)), 1.0)
    for _ in range(ROUNDS):
        for name, answer in answers.items():
            kept = times[name]
            seconds, busy = _time_alone(answer, kept.queries, threads)
            kept.rounds.append(seconds / kept.queries * 1e6)
            kept.busy = min(kept.busy, busy)
    return times


def _time_alone(answer: peers.Answer, queries: int, threads: int) -> tuple[float, float]:
    """The first run that gets its processors, or else the one that got most of them."""
    runs = []
    for _ in range(RETRIES):
        seconds, busy = _time(answer, queries)
        runs.append((seconds, busy / threads))
        if runs[-1][1] >= BUSY:
            return runs[-1]
    return max(runs, key=lambda run: run[1])


def _time(answer: peers.Answer, queries: int) -> tuple[float, float]:
    """Seconds, and processor seconds a second."""
    start, cpu = time.perf_counter(), time.process_time()
    answer(queries)
    seconds = time.perf_counter() - start
    return seconds, (time.process_time() - cpu) / seconds


def _compared(search: str, peer: str, times: dict[str, Times], case: Row) -> Row:
    ours, theirs = times[search], times[peer]
    return {
        "search": search,
        "peer": peer,
        **case,
        "us_per_query": round(ours.median, 3),
        "peer_us_per_query": round(theirs.median, 3),
        "ratio": round(theirs.median / ours.median, 3),
        "spread": [round(min(ours.rounds), 3), round(max(ours.rounds), 3)],
        "peer_spread": [round(min(theirs.rounds), 3), round(max(theirs.rounds), 3)],
        "queries": ours.queries,
        "peer_queries": theirs.queries,
        "busy": round(min(ours.busy, theirs.busy), 3),
    }


def _batch(n_items: int) -> int:
    return min(max(BATCH[0], PAIRS // n_items), BATCH[1])


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


if __name__ == "__main__":
    main()
