"""Microseconds a query, of several searches in turns."""

import os
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import faiss
import torch
from threadpoolctl import threadpool_info, threadpool_limits

import hashgnn.kernels
from hashgnn.evaluation.time_searches import BUSY, time_alone, time_once

Row = dict[str, object]
Answer = Callable[[int], object]  # runs a search for so many queries

PAIRS = 1 << 28  # distances a batch asks for: fewer queries of more items
BATCH = (256, 4096)  # fewest and most queries
FEWEST = 20  # queries a round: with fewer FAISS takes another path
FEWEST_OF = {"USearch exact": 2, "numpy bitwise_count": 2}  # slow, and alike for any number
SECONDS = 0.08  # a round of one search, if that allows FEWEST queries
ROUNDS = (3, 5)  # the fewer where a search has taken PATIENCE seconds
PATIENCE = 4.0
TRIES = 2  # a round that lacked its processors is run again


@dataclass
class Times:
    """Microseconds a query, round by round, and the least share of its threads it got."""

    queries: int
    rounds: list[float] = field(default_factory=list)
    busy: float = 1.0
    spent: float = 0.0

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


def set_threads(threads: int) -> None:
    """The same number for all libraries; refused where one does not obey."""
    hashgnn.kernels.set_threads(threads)
    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
    threadpool_limits(threads)
    for pool in threadpool_info():
        assert pool["num_threads"] == threads, pool


def measure(answers: Mapping[str, Answer], n_queries: int, threads: int) -> dict[str, Times]:
    """Time the searches in turns, each with as many queries as a round has time for."""
    times = {name: Times(_queries(name, answer, n_queries)) for name, answer in answers.items()}
    for number in range(ROUNDS[1]):
        for name, answer in answers.items():
            kept = times[name]
            slow = kept.spent > PATIENCE
            if slow and number >= ROUNDS[0]:
                continue
            tries = 1 if slow else TRIES
            one = time_alone(lambda: answer(kept.queries), threads, tries)  # noqa: B023
            kept.rounds.append(one.seconds / kept.queries * 1e6)
            kept.busy = min(kept.busy, one.busy)
            kept.spent += one.seconds
    return times


def _queries(name: str, answer: Answer, n_queries: int) -> int:
    few = min(FEWEST_OF.get(name, FEWEST), n_queries)
    first = time_once(lambda: answer(few), 1).seconds
    if first < 10 * SECONDS:  # it may have compiled
        first = time_once(lambda: answer(few), 1).seconds
    return min(n_queries, max(few, int(SECONDS / first * few)))


def compared(search: str, peer: str, times: Mapping[str, Times], case: Row) -> Row:
    """One row of search.json."""
    ours, theirs = times[search], times[peer]
    busy = min(ours.busy, theirs.busy)
    return {
        **case,
        "search": search,
        "peer": peer,
        "us_per_query": round(ours.median, 3),
        "peer_us_per_query": round(theirs.median, 3),
        "ratio": round(theirs.median / ours.median, 3),
        "spread": [round(min(ours.rounds), 3), round(max(ours.rounds), 3)],
        "peer_spread": [round(min(theirs.rounds), 3), round(max(theirs.rounds), 3)],
        "queries": ours.queries,
        "peer_queries": theirs.queries,
        "busy": round(ours.busy, 3),
        "peer_busy": round(theirs.busy, 3),
        "undisturbed": busy >= BUSY,
    }


def batch(n_items: int) -> int:
    return min(max(BATCH[0], PAIRS // n_items), BATCH[1])


def memory() -> int:
    """Bytes of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
