"""Rounds of several searches in turns, and whether their threads got their processors."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

BUSY = 0.9  # share of its processors' time that a run has to get to be believed
_TRIES = 10

Run = Callable[[], object]


class Round(NamedTuple):
    """One run: wall-clock seconds, and CPU seconds / (wall-clock seconds x threads)."""

    seconds: float
    busy: float


def in_turns(runs: Mapping[str, Run], rounds: int, threads: int) -> dict[str, list[Round]]:
    """Time each run in each round, so that what slows the machine meets them all alike.

    Call them once before: the first call compiles.
    """
    times: dict[str, list[Round]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(time_alone(run, threads))
    return times


def time_alone(run: Run, threads: int, tries: int = _TRIES) -> Round:
    """The first of several tries that got its processors, or else the one that got most of them.

    Its ``busy`` is then below ``BUSY``: others were computing, and the time is no measurement.
    """
    tried = []
    for _ in range(tries):
        tried.append(time_once(run, threads))
        if tried[-1].busy >= BUSY:
            break
    return max(tried, key=lambda one: one.busy)


def time_once(run: Run, threads: int) -> Round:
    """One run, as it went."""
    start, cpu = time.perf_counter(), time.process_time()
    run()
    seconds = time.perf_counter() - start
    return Round(seconds, (time.process_time() - cpu) / seconds / threads)
