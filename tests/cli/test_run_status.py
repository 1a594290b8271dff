import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from hashgnn.cli.main import main
from hashgnn.cli.run_status import clock
from hashgnn.experiment.status import RUN, Job, write_run
from hashgnn.stage.progress import progress_file, progress_path, report


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "0:00"), (65.4, "1:05"), (3599.6, "1:00:00"), (7265, "2:01:05")]
)
def test_clock(seconds: float, expected: str) -> None:
    assert clock(seconds) == expected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of two trainings, one of which is done."""
    jobs = [Job("train", f"results/d/{m}/train.provenance.json", 45.0) for m in "ab"]
    write_run(jobs, 1, tmp_path / RUN)
    for job in jobs:
        (tmp_path / job.record).parent.mkdir(parents=True)
    (tmp_path / jobs[0].record).write_text(json.dumps({"seconds": 30.0}))
    return tmp_path


def test_the_whole_and_each_running_job_have_a_line(folder: Path) -> None:
    record = folder / "results/d/b/train.provenance.json"
    with progress_file(record):
        report(40, 160, "iterations")
        written = progress_path(record)
        told = json.loads(written.read_text()) | {
            **{"seconds": 10.0, "earlier_done": 0, "earlier_seconds": 0.0},
            "updated": time.time(),
        }
        written.write_text(json.dumps(told))

        result = CliRunner().invoke(main, ["status", str(folder)])

    whole, job = result.output.splitlines()
    assert whole == "[#################.............]  57%  1 of 2 jobs, 0:30 left on 1 core"
    assert job.split("  ") == [
        *("", " 25%", "train d/b", "40 of 160 iterations, 4.0 per second", "0:30 left")
    ]


@pytest.mark.parametrize("option", ["--watch", "--bar"])
def test_following_ends_with_the_run(folder: Path, option: str) -> None:
    (folder / "results/d/b/train.provenance.json").write_text(json.dumps({"seconds": 30.0}))

    result = CliRunner().invoke(main, ["status", str(folder), option])

    assert result.output == f"[{'#' * 30}] all 2 jobs are done\n"


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["status", str(tmp_path)])

    assert result.exit_code == 2
    assert "no run of the workflow was started here" in result.output
