import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashgnn.errors import InputError
from hashgnn.experiment.status import (
    RUN,
    Job,
    makespan,
    opening_line,
    read_run,
    replaced_line,
    status,
    write_run,
)
from hashgnn.stage import command
from hashgnn.stage.command import progress_file, report

START = 5.0  # seconds that each estimate leaves out


def record(folder: Path, job: Job, seconds: float) -> None:
    path = folder / job.record
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"seconds": seconds}))


def jobs(**seconds: float | None) -> list[Job]:
    """Trainings by name, with their estimates."""
    made = seconds.items()
    return [Job("train", f"results/d/{name}/train.provenance.json", s) for name, s in made]


def test_a_job_is_called_by_what_it_makes() -> None:
    (job,) = jobs(m=1.0)

    assert job.name == "train d/m"
    assert Job("table", "results/table2.provenance.json", 1.0).name == "table table2"


def test_estimates_are_corrected_by_what_was_measured(tmp_path: Path) -> None:
    planned = jobs(a=95.0, b=195.0, c=None)
    write_run(planned, 1, tmp_path / RUN)
    record(tmp_path, planned[0], 150.0)  # 1.5 times as long as estimated, with its start

    found = status(tmp_path)

    assert (found.done, found.waiting, found.unknown) == (1, 2, 0)
    # Without an estimate, as long as the others took.
    assert found.left == pytest.approx(1.5 * (START + 195) + 150)
    assert found.share == pytest.approx(150 / (150 + 300 + 150))


def test_a_running_job_is_judged_by_its_own_speed(tmp_path: Path) -> None:
    (job,) = planned = jobs(a=1000.0)
    write_run(planned, 2, tmp_path / RUN)
    path = tmp_path / job.record
    with progress_file(path):
        report(25, 100, "iterations")
        written = path.with_name("train.progress.json")
        told = json.loads(written.read_text()) | {
            **{"seconds": 50.0, "earlier_done": 0, "earlier_seconds": 20.0},  # 20 s until it began
            "updated": time.time(),
        }
        written.write_text(json.dumps(told))

        found = status(tmp_path)

        (running,) = found.running
        assert running.left == pytest.approx(90.0, abs=1)  # 30 s for a quarter
        assert running.share == pytest.approx(50 / 140, abs=0.01)
        assert found.left == running.left
    assert status(tmp_path).running == []
    assert status(tmp_path).waiting == 1


def test_results_of_earlier_runs_are_not_counted(tmp_path: Path) -> None:
    (job,) = planned = jobs(a=1.0)
    record(tmp_path, job, 1.0)
    os.utime(tmp_path / job.record, (0, 0))
    write_run(planned, 1, tmp_path / RUN)

    assert status(tmp_path).done == 0


def test_a_finished_run(tmp_path: Path) -> None:
    (job,) = planned = jobs(a=1.0)
    write_run(planned, 1, tmp_path / RUN)
    record(tmp_path, job, 1.0)

    found = status(tmp_path)

    assert (found.done, found.share, found.left) == (1, 1.0, 0.0)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no run of the workflow was started here; name the fold"):
        read_run(tmp_path)
    (tmp_path / RUN).parent.mkdir(parents=True)
    (tmp_path / RUN).write_text("{")
    with pytest.raises(InputError, match="damaged"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("running", "waiting", "cores", "expected"),
    [
        ([], [], 2, 0.0),
        ([5.0], [], 2, 5.0),
        ([5.0], [4.0, 3.0], 2, 8.0),  # the 4 on the free core, the 3 after it: 7; or after the 5
        ([], [3.0, 3.0, 2.0, 2.0, 2.0], 2, 7.0),
    ],
)
def test_time_left_on_cores(
    running: list[float], waiting: list[float], cores: int, expected: float
) -> None:
    assert makespan(running, waiting, cores) == pytest.approx(expected, abs=1)


times = st.lists(st.floats(0, 100), max_size=8)


@given(times, times, st.integers(1, 8))
def test_time_left_has_its_bounds(running: list[float], waiting: list[float], cores: int) -> None:
    running = running[:cores]
    total = sum(running) + sum(waiting)

    left = makespan(running, waiting, cores)

    assert left >= max([total / cores, *running, *waiting]) - 1e-6
    assert left <= total + 1e-6


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (
            [7195.0, 7195.0],
            "2 jobs: about 4.0 hours of processor time, 2.0 hours here with 2 cores",
        ),
        ([7195.0, None], "2 jobs, 1 of them unknown until data are there: at least 2.0 hours"),
        ([1.0], "1 job: about a minute of processor time, a minute here with 2 cores"),
    ],
)
def test_the_opening_line(seconds: list[float | None], expected: str) -> None:
    planned: list[Any] = jobs(**{f"j{i}": s for i, s in enumerate(seconds)})

    line = opening_line(planned, 2, 12_340)

    assert line.startswith(expected)
    assert "12.3 GB of disk are free" in line


def of_runs(*runs: str) -> list[str]:
    return [f"results/{run}/metrics.csv" for run in runs]


FIG3 = of_runs("movielens/lsh/bits32/seed0", "movielens/mf/bits32/seed0", "gowalla/mf/bits32/seed0")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (FIG3, ""),
        ([*FIG3, *of_runs("shop/mf/bits32/seed0")], ""),  # shows more than before
        (of_runs("shop/mf/bits32/seed0"), "data sets gowalla, movielens that"),
        (FIG3[1:], "methods lsh that"),
        ([*FIG3[:2], *of_runs("gowalla/mf/bits32/seed1")], "1 training of gowalla that"),
    ],
)
def test_a_figure_of_another_grid_is_not_replaced_without_a_word(
    tmp_path: Path, inputs: list[str], said: str
) -> None:
    record = tmp_path / "fig3.provenance.json"
    record.write_text(json.dumps({"inputs": dict.fromkeys(FIG3, "checksum")}))

    line = replaced_line({"figures/fig3.pdf": (record, inputs)})

    assert said in line
    assert bool(line) == bool(said)
    if said:
        assert line.startswith("warning: figures/fig3.pdf will be replaced, without the ")
    assert replaced_line({"figures/fig1.pdf": (tmp_path / "none.json", inputs)}) == ""


def test_a_table_of_data_sets_alone(tmp_path: Path) -> None:
    record = tmp_path / "table1.provenance.json"
    record.write_text(json.dumps({"inputs": {"results/gowalla/prepare.provenance.json": "c"}}))

    line = replaced_line({"results/table1.csv": (record, ["results/shop/prepare.provenance.json"])})

    assert "without the data sets gowalla that earlier runs put in" in line


# Units done and seconds, as two trainings of the demo told them on a machine busy with others; the
# first units took longer than the rest.
RECORDED = json.loads(Path(__file__).with_name("recorded_progress.json").read_text())


@pytest.mark.parametrize("name", RECORDED)
def test_the_time_left_of_recorded_trainings(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    total, took, told = (RECORDED[name][key] for key in ("total", "took", "told"))
    (job,) = planned = [Job("train", f"results/{name}/train.provenance.json", 600.0)]
    write_run(planned, 1, tmp_path / RUN)
    clock = [0.0]
    monkeypatch.setattr(command.time, "monotonic", lambda: clock[0])
    with progress_file(tmp_path / job.record):
        for done, clock[0] in told:
            report(done, total, "iterations")
            left = status(tmp_path).left
            if done > 0.3 * total:
                assert left == pytest.approx(took - clock[0], rel=0.3, abs=2)


def test_a_training_that_begins_again_is_judged_by_its_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refit repeats the iterations: the speed is not that of both times together."""
    (job,) = planned = jobs(a=100.0)
    write_run(planned, 1, tmp_path / RUN)
    clock = [0.0]
    monkeypatch.setattr(command.time, "monotonic", lambda: clock[0])
    with progress_file(tmp_path / job.record):
        for clock[0] in range(0, 101, 10):
            report(clock[0], 100, "iterations")
        for clock[0] in range(110, 151, 10):  # half as fast
            report((clock[0] - 110) / 2, 100, "iterations")

        assert status(tmp_path).left == pytest.approx((100 - 20) * 2, abs=1)
