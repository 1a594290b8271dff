"""The timing stage: repeated runs on a clock set by hand, the stage, and table 4 of its times."""

import csv
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from hashgnn.config.base import parse
from hashgnn.errors import InputError
from hashgnn.evaluation import time_searches as stage
from hashgnn.evaluation.time_searches import (
    COLUMNS,
    Round,
    in_turns,
    read_times,
    time_alone,
    write_times,
)
from hashgnn.files import save_array
from hashgnn.reporting.tables.paper import print_times, summarize

TIMING = {"threads": 1, "rounds": 3, "k": 5, "candidates": 9}
CASE = {
    **{"dataset": "gowalla", "model": "m", "bits": 32, "seed": 0},
    **{"users": 1200, "items": 50, "k": 5, "candidates": 9, "threads": 1},
}


def write(path: Path, **seconds: list[float]) -> Path:
    names = {"pytorch": "continuous, PyTorch"}
    rounds = {names.get(key, key): [Round(s, 1.0) for s in each] for key, each in seconds.items()}
    write_times(path, rounds, CASE)
    return path


@pytest.fixture
def times(tmp_path: Path) -> Path:
    searches = {"continuous": [4, 3, 5], "pytorch": [8, 8, 8], "hierarchical": [2, 2, 2]}
    return write(tmp_path / "timing.csv", **searches, hamming=[0.5, 1, 2])


def test_the_stage_times_all_searches_over_all_users(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    arguments = []
    for kind, rows in (("user", 30), ("item", 70)):
        vectors = random.standard_normal((rows, 6), dtype=np.float32)
        codes = random.integers(0, 256, (rows, 1), dtype=np.uint8)
        for name, array in (("codes", codes), ("vectors", vectors)):
            save_array(tmp_path / f"{kind}_{name}.npy", array)
            arguments += [f"--{kind}-{name}", str(tmp_path / f"{kind}_{name}.npy")]
    labels = {"dataset": "d", "model": "m", "bits": 8, "seed": 0}
    arguments += ["--settings", json.dumps({**labels, "timing": TIMING})]
    arguments += ["--provenance", str(tmp_path / "p.json")]
    assert stage.main([*arguments, "--output", str(tmp_path / "timing.csv")]) == 0
    rows = list(csv.DictReader((tmp_path / "timing.csv").read_text().splitlines()))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["round"] for row in rows if row["search"] == "hamming"] == ["0", "1", "2"]
    assert {row["search"] for row in rows} == {
        *("continuous", "hierarchical", "hamming", "continuous, PyTorch")
    }
    assert {(row["users"], row["items"], row["threads"]) for row in rows} == {("30", "70", "1")}
    assert all(float(row["seconds"]) > 0 for row in rows)
    assert json.loads((tmp_path / "p.json").read_text())["search_threads"] == 1


def test_more_threads_than_the_job_may_use_are_refused() -> None:
    with pytest.raises(InputError, match=r"timing\.threads: 1000, but this job may use"):
        parse(stage.SearchTiming, {**TIMING, "threads": 1000}, "timing")


def test_median_spread_and_speedups(times: Path) -> None:
    numbers = summarize(read_times([times]), ["gowalla"]).set_index("search")
    assert numbers.loc["continuous", ["seconds", "fastest", "slowest"]].tolist() == [4, 3, 5]
    assert numbers.speedup.to_dict() == {
        **{"continuous": 1.0, "continuous, PyTorch": 0.5},
        **{"hierarchical": 2.0, "hamming": 4.0},
    }
    assert numbers.loc["hamming", "speedup_pytorch"] == 8.0
    paper = numbers.loc["hamming", ["paper_seconds", "paper_speedup"]]
    assert paper.tolist() == [66.1, 2.8]


def test_the_table_in_print(times: Path) -> None:
    numbers = summarize(read_times([times]), ["gowalla"])
    printed = print_times(numbers, {"gowalla": "Gowalla"}, {"m": "M"})
    assert printed.heading == "Data set"
    assert {title: str(cell) for title, cell in printed.rows.iloc[0].items()} == {
        **{"Data set": "Gowalla: 1,200 users, 50 items", "Method": "M", "Bits": "32"},
        "Continuous (s)": "4.000 3.000 to 5.000",
        "PyTorch (s)": "8.000 8.000 to 8.000",
        "Hierarchical (s)": "2.000 2.000 to 2.000",
        "Hamming (s)": "1.000 0.500 to 2.000",
        **{"Hierarchical speed-up": "2.0", "Hierarchical, paper": "2.3"},
        **{"Hamming speed-up": "4.0", "Hamming, paper": "2.8"},
    }
    assert "all users of Gowalla:" in printed.caption
    assert printed.legend == []


def test_other_data_are_not_shown_beside_the_papers(times: Path) -> None:
    numbers = summarize(read_times([times]), [])
    assert numbers["paper_speedup"].isna().all()
    printed = print_times(numbers, {"gowalla": "Not Gowalla"}, {"m": "M"})
    assert not [title for title in printed.rows.columns if "paper" in title]


def test_a_search_that_lacked_its_processors_has_a_star(times: Path) -> None:
    frame = read_times([times])
    frame.loc[frame.search == "hamming", "busy"] = [1.0, 0.5, 1.0]
    printed = print_times(summarize(frame, []), {"gowalla": "Gowalla"}, {"m": "M"})
    assert [cell.sign for cell in printed.rows["Hamming (s)"]] == ["*"]
    assert [cell.sign for cell in printed.rows["Continuous (s)"]] == [""]
    assert printed.legend[0].startswith("* Got less than 90%")


def test_another_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"x\.csv: expected the columns dataset, "):
        read_times([tmp_path / "x.csv"])


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
