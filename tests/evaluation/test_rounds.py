"""Times of runs whose CPU and wall-clock seconds are set by hand."""

import time
from collections.abc import Callable, Iterator

import pytest

from hashgnn.evaluation.time_searches import Round, in_turns, time_alone


class Clock:
    """A machine on which each run takes the next of ``runs``: seconds, CPU seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, runs: list[tuple[float, float]]) -> None:
        self.now = self.cpu = 0.0
        self.runs: Iterator[tuple[float, float]] = iter(runs)
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(time, "process_time", lambda: self.cpu)

    def run(self) -> None:
        seconds, cpu = next(self.runs)
        self.now += seconds
        self.cpu += cpu


ClockMaker = Callable[..., Clock]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ClockMaker:
    return lambda *runs: Clock(monkeypatch, list(runs))


def test_a_run_that_got_its_processor_counts(clock: ClockMaker) -> None:
    assert time_alone(clock((2.0, 2.0)).run, threads=1) == Round(2.0, 1.0)


def test_a_disturbed_run_is_run_again(clock: ClockMaker) -> None:
    assert time_alone(clock((4.0, 2.0), (2.0, 1.9)).run, threads=1) == Round(2.0, 0.95)


def test_two_threads_on_one_processor_are_not_believed(clock: ClockMaker) -> None:
    disturbed = [(2.0, 2.0)] * 4 + [(2.0, 3.0)] + [(2.0, 2.0)] * 5
    assert time_alone(clock(*disturbed).run, threads=2) == Round(2.0, 0.75)


def test_runs_take_turns() -> None:
    order: list[str] = []
    runs = {name: lambda name=name: order.append(name) or sum(range(20_000)) for name in "ab"}
    times = in_turns(runs, rounds=2, threads=1)
    assert [len(rounds) for rounds in times.values()] == [2, 2]
    first, last = order.index("b"), len(order) - 1 - order[::-1].index("a")
    assert order[0] == "a"
    assert first < last  # a, then b, then a again
