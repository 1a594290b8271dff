"""Stages and Snakemake killed with SIGKILL at random moments; then the same command again."""

import os
import secrets
import signal
import subprocess
import time
from pathlib import Path
from random import Random

import pytest

from tests.e2e.faults.experiment import (
    RULES,
    TARGETS,
    copy_of,
    results,
    said,
    stages,
    start,
    wait_until_idle,
)
from tests.e2e.faults.tally import Tally
from tests.e2e.workflow.project import Project

pytestmark = pytest.mark.faults

TRIES = 8  # a stage may end before the moment that was drawn


def wait_for(process: subprocess.Popen[bytes], project: Project, rule: str) -> int | None:
    """The process of a stage of ``rule``, as soon as there is one."""
    while process.poll() is None:
        if found := dict(stages(project)).get(rule):
            return found
        time.sleep(0.01)
    return None


def kill(process: subprocess.Popen[bytes], stage: int, whom: str) -> bool:
    """Whether there was something to kill."""
    try:
        if whom == "stage":
            os.kill(stage, signal.SIGKILL)
        elif whom == "Snakemake":
            os.kill(stage, 0)
            process.kill()
        else:
            os.kill(stage, 0)
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def unlock(project: Project) -> None:
    """As a user does after a kill of Snakemake, which leaves its lock behind."""
    ran = project.snakemake("--unlock")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def interrupt(project: Project, rule: str, whom: str, latest: float, random: Random) -> None:
    """Start everything; while a stage of ``rule`` is at work, kill ``whom``."""
    for _ in range(TRIES):
        made = sorted(project.root.glob(RULES[rule].output))
        if made:  # so that there is work for it: what is made of it would make up for it
            random.choice(made).unlink()
            remove_outputs_after(project, rule)
        with start(project) as process:
            stage = wait_for(process, project, rule)
            assert stage, said(project)
            time.sleep(random.uniform(0, latest))
            hit = kill(process, stage, whom)
            if not hit:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        unlock(project)
        if hit and process.returncode:
            return
        latest /= 2  # the stage was slower when it was timed: kernels were compiled then
    raise RuntimeError(f"{rule}: ended {TRIES} times before it could be killed")


def remove_outputs_after(project: Project, rule: str) -> None:
    names = list(RULES)
    for later in names[names.index(rule) + 1 :]:
        for path in project.root.glob(RULES[later].output):
            path.unlink()


def test_after_kills_the_same_command_ends_with_the_same_bytes(
    tmp_path: Path, finished: Project, durations: dict[str, float], tally: Tally
) -> None:
    seed = secrets.randbits(32)
    print("seed", seed)
    random = Random(seed)
    project = copy_of(finished, tmp_path / "project", "results", "figures", ".snakemake")
    for rule in RULES:
        for whom in ("stage", random.choice(["Snakemake", "all"])):
            with tally.fault(f"kill -9 of {'a stage' if whom == 'stage' else whom}"):
                interrupt(project, rule, whom, durations[rule], random)

    ran = project.snakemake(*TARGETS)
    wait_until_idle(project)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert results(project) == results(finished)
    assert not list(project.root.rglob(".partial-*"))
