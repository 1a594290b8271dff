"""The groups of comparisons that search.json is made of."""

import itertools
import subprocess
import sys
from collections.abc import Iterator, Sequence

from benchmarks import search_limits as limits
from benchmarks import search_peers as peers
from benchmarks.search_evaluation import CUTOFFS, DIMENSIONS, Method
from benchmarks.search_measure import Answer, Row, batch, compared, measure, memory, set_threads
from hashgnn.search import Index

LARGE_BITS = 64
SHARE = 0.75  # of the machine's memory that a comparison may take
COPIES = 6  # of the items' vectors, at the most: ours, the peers', on the way
PEAK_MEMORY = "-m", "benchmarks.search_evaluation"


def compare_searches(
    n_items: int, bits: int, cutoffs: Sequence[int], threads: Sequence[int]
) -> Iterator[list[Row]]:
    """All searches over the same items; a group for each number of threads."""
    if not threads:
        return
    with_vectors = n_items * bits * 4 * COPIES < SHARE * memory()
    contenders = peers.Contenders.over(n_items, bits, batch(n_items), with_vectors)
    for number in threads:
        set_threads(number)
        group: list[Row] = []
        for k in cutoffs:
            case: Row = {"part": "searches", "items": n_items, "bits": bits, "k": k}
            case["threads"] = number
            if not with_vectors:
                reason = f"vectors and the peers' copies exceed {SHARE:.0%} of the memory"
                group.append({**case, "search": "continuous", "peer": "all", "skipped": reason})
            times = measure(contenders.answers(k, number), contenders.n_queries, number)
            group += [compared(ours, peer, times, case) for ours, peer in _pairs(list(times))]
        yield group


def _pairs(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each search of ours with the peers it could replace, and with our own continuous one."""
    binary = [name for name in names if "Binary" in name or "USearch" in name or "numpy" in name]
    floats = [name for name in names if name.endswith(("IndexFlatIP", "topk"))]
    signs = [name for name in names if name.endswith("+-1")]
    yield from itertools.product(["hamming"], binary + signs + floats)
    if "continuous" in names:
        yield "hamming", "continuous"
        yield from itertools.product(["continuous"], floats)
        for candidates in (200, 500):
            name = f"hierarchical, {candidates} candidates"
            yield from itertools.product([name], [*floats, "continuous"])


def compare_limits(n_items: int, bits: int, threads: Sequence[int]) -> Iterator[list[Row]]:
    """The scan beside what reading the codes, or counting their bits, takes at the least."""
    if not threads:
        return
    corpus = peers.Corpus.random(n_items, bits, batch(n_items), with_vectors=False)
    index, queries, k = Index(corpus.codes), corpus.queries, 100
    size = n_items * bits // 8
    flat = peers.binary_flat(corpus.codes)
    del corpus  # only the indexes' own copies are needed
    planes, elsewhere = index.planes, limits.Memory()
    assert planes is not None
    index_mb = round((planes.nbytes + index.order.nbytes) / 1e6, 2)
    alone: dict[str, Answer] = {
        "hamming, one query": lambda n: [index.hamming(queries[i : i + 1], k) for i in range(n)],
        "FAISS IndexBinaryFlat": lambda n: [flat.search(queries[i : i + 1], k) for i in range(n)],
        "read bandwidth": lambda n: limits.read_often(planes, n),
        "memory bandwidth": lambda n: elsewhere.read(n * planes.size),
    }
    together: dict[str, Answer] = {
        "hamming, batch": lambda n: index.hamming(queries[:n], k),
        "popcount in cache": lambda n: limits.popcount(size * n),
    }
    for number in threads:
        set_threads(number)
        case: Row = {"part": "limits", "items": n_items, "bits": bits, "k": k, "threads": number}
        group = []
        for answers in (alone, together):
            ours, *others = answers
            times = measure(answers, len(queries), number)
            more: Row = {"bytes_a_second": round(size / times[ours].median * 1e6)}
            more["index_mb"] = index_mb
            group += [compared(ours, peer, times, case) | more for peer in others]
        yield group


def compare_evaluation(users: int, items: int, threads: int) -> Iterator[Row]:
    """All metrics at all cutoffs for all users, by one search and by all three."""
    set_threads(threads)
    method, peer = Method(users, items), "LightGCN-PyTorch test procedure"
    answers: dict[str, Answer] = {
        "evaluation, hamming": lambda n: method.by_us("hamming"),
        "evaluation, all searches": lambda n: method.by_us("hamming", "hierarchical", "continuous"),
        peer: lambda n: method.by_lightgcn(),
    }
    times = measure(answers, 1, threads)
    for kept in times.values():  # a round is one evaluation of all users
        kept.rounds, kept.queries = [each / users for each in kept.rounds], users
    case: Row = {"part": "evaluation", "items": items, "bits": DIMENSIONS, "k": max(CUTOFFS)}
    case["threads"] = threads
    command = [sys.executable, *PEAK_MEMORY, str(users), str(items)]
    peak = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for name in list(answers)[:2]:
        yield compared(name, peer, times, case) | {"peak_memory_mb": peak}
