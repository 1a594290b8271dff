"""Clocks that were set back: files of the future, and edits that seem older than what was made."""

import os
import time
from pathlib import Path

import pytest

from tests.e2e.faults.experiment import TARGETS, copy_of, results
from tests.e2e.faults.tally import Tally
from tests.e2e.workflow.project import Project

pytestmark = pytest.mark.faults

DAY = 86_400


@pytest.fixture
def project(tmp_path: Path, finished: Project) -> Project:
    return copy_of(finished, tmp_path / "project")


def set_times(project: Project, seconds: float) -> None:
    """Of all results, as they were among themselves, but so much later."""
    for folder in ("results", "figures", ".snakemake"):
        for path in (project.root / folder).rglob("*"):
            if path.is_file():
                os.utime(path, (path.stat().st_mtime + seconds,) * 2)


def test_results_of_the_future_are_no_reason_to_run(project: Project, tally: Tally) -> None:
    with tally.fault("clock moved back"):
        set_times(project, DAY)
        assert project.stale() == set()


def test_what_is_made_of_results_of_the_future_is_kept(
    project: Project, finished: Project, tally: Tally
) -> None:
    with tally.fault("clock moved back"):
        set_times(project, DAY)
        (project.root / "results/shop/hashgnn/bits8/seed0/user_codes.npy").unlink()
        ran = project.snakemake(*TARGETS)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert results(project) == results(finished)
        assert project.stale() == set()


def test_edits_that_seem_older_than_the_results_are_seen(project: Project, tally: Tally) -> None:
    edits = {"odd.tsv": ("käufer 39\t", "käufer 40\t"), "hashgnn/data/split.py": ("0.5", "0.6")}
    for name, (old, new) in edits.items():
        with tally.fault("clock moved back"), project.edited(name, old, new):
            os.utime(project.root / name, (time.time() - 1000 * DAY,) * 2)
            assert "split shop" in project.stale()
