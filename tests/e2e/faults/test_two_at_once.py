"""Two runs, or two stages, that were started at once."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.faults.experiment import (
    TARGETS,
    copy_of,
    results,
    said,
    stages,
    start,
    wait_until_idle,
)
from tests.e2e.faults.replay import ONE_THREAD, recorded_stages
from tests.e2e.faults.tally import Tally
from tests.e2e.workflow.project import Project

pytestmark = pytest.mark.faults

REFUSED = "Directory cannot be locked"


def make_stale(project: Project) -> None:
    """So that there is work for some seconds."""
    (project.root / "results/shop/hashgnn/bits8/seed0/user_codes.npy").unlink()


def until_a_stage_runs(process: subprocess.Popen[bytes], project: Project) -> None:
    while not list(stages(project)):
        assert process.poll() is None, said(project)
        time.sleep(0.02)


def test_the_second_snakemake_is_refused_and_the_first_undisturbed(
    tmp_path: Path, finished: Project, tally: Tally
) -> None:
    project = copy_of(finished, tmp_path / "project")
    make_stale(project)
    with tally.fault("two runs at once"), start(project) as first:
        until_a_stage_runs(first, project)
        for _ in range(2):  # a refused one must not make way for the next
            second = project.snakemake(*TARGETS)
            assert first.poll() is None
            assert second.returncode
            assert REFUSED in second.stdout + second.stderr
        assert first.wait() == 0, said(project)
        assert results(project) == results(finished)


def test_the_lock_of_a_killed_snakemake_stays_until_it_is_unlocked(
    tmp_path: Path, finished: Project, tally: Tally
) -> None:
    project = copy_of(finished, tmp_path / "project")
    make_stale(project)
    with tally.fault("a lock that a killed run left"), start(project) as killed:
        until_a_stage_runs(killed, project)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        wait_until_idle(project)

        refused = project.snakemake(*TARGETS)
        assert REFUSED in refused.stdout + refused.stderr

        assert project.snakemake("--unlock").returncode == 0
        ran = project.snakemake(*TARGETS)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert results(project) == results(finished)


@pytest.mark.parametrize("module", ["hashgnn.training.train", "hashgnn.data.negatives"])
def test_two_stages_that_write_the_same_files(
    tmp_path: Path, finished: Project, tally: Tally, module: str
) -> None:
    project = copy_of(finished, tmp_path / "project")
    stage = next(s for s in recorded_stages(project) if s.module == module)
    expected = {path: path.read_bytes() for path in stage.outputs}
    for path in [*stage.outputs, stage.record]:
        path.unlink()
    command = [sys.executable, "-m", module, *stage.arguments]
    with tally.fault("two stages that write the same files"):
        both = [subprocess.Popen(command, cwd=project.root, env=ONE_THREAD) for _ in range(2)]
        assert [process.wait() for process in both] == [0, 0]
        assert {path: path.read_bytes() for path in expected} == expected
        assert not list(project.root.rglob(".partial-*"))
