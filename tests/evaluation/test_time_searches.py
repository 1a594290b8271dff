"""The timing stage and table 4, from arrays to the printed table."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from hashgnn.errors import InputError
from hashgnn.evaluation import time_searches as stage
from hashgnn.evaluation.time_searches import COLUMNS, Round, read_times, write_times
from hashgnn.files import save_array
from hashgnn.reporting.tables.measured import print_times, summarize

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
        stage.Settings.from_config({**TIMING, "threads": 1000})


def test_median_spread_and_speedups(times: Path) -> None:
    numbers = summarize(read_times([times])).set_index("search")
    assert numbers.loc["continuous", ["seconds", "fastest", "slowest"]].tolist() == [4, 3, 5]
    assert numbers.speedup.to_dict() == {
        **{"continuous": 1.0, "continuous, PyTorch": 0.5},
        **{"hierarchical": 2.0, "hamming": 4.0},
    }
    assert numbers.loc["hamming", "speedup_pytorch"] == 8.0
    paper = numbers.loc["hamming", ["paper_seconds", "paper_speedup"]]
    assert paper.tolist() == [66.1, 2.8]


def test_the_table_in_print(times: Path) -> None:
    table = print_times(summarize(read_times([times])), {"gowalla": "Gowalla"}, {"m": "M"})
    assert table.iloc[0].to_dict() == {
        **{"Dataset": "Gowalla", "Method": "M", "Bits": "32", "Users": "1,200", "Items": "50"},
        "Continuous (s)": "4 [3, 5]",
        "PyTorch (s)": "8 [8, 8]",
        "Hierarchical (s)": "2 [2, 2]",
        "Hamming (s)": "1 [0.5, 2]",
        "Hierarchical speed-up": "2.0 (paper 2.3)",
        "Hamming speed-up": "4.0 (paper 2.8)",
    }


def test_a_search_that_lacked_its_processors_has_a_star(times: Path) -> None:
    frame = read_times([times])
    frame.loc[frame.search == "hamming", "busy"] = [1.0, 0.5, 1.0]
    table = print_times(summarize(frame), {"gowalla": "Gowalla"}, {"m": "M"})
    assert table["Hamming (s)"].tolist() == ["1* [0.5, 2]"]
    assert "*" not in table["Continuous (s)"][0]


def test_another_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"x\.csv: expected the columns dataset, "):
        read_times([tmp_path / "x.csv"])
