"""Results in a clone on another machine, without what Snakemake knew of them."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.faults.experiment import TARGETS, copy_of
from tests.e2e.faults.tally import Tally
from tests.e2e.workflow.project import Project

pytestmark = pytest.mark.faults

TRAINED = "results/shop/hashgnn/bits8/seed0/train.provenance.json"


def clone(finished: Project, root: Path, how: str) -> Project:
    """Another clone, in which results were copied; times kept, or those of the copying."""
    made = copy_of(finished, root, "results", "figures", ".snakemake")
    copy = shutil.copy2 if how == "cp -a" else shutil.copyfile
    for folder in ("results", "figures"):
        shutil.copytree(finished.root / folder, root / folder, copy_function=copy)
    return made


@pytest.mark.parametrize("how", ["cp -a", "cp"])
def test_the_documented_command_accepts_them_and_later_edits_are_seen(
    tmp_path: Path, finished: Project, tally: Tally, how: str
) -> None:
    project = clone(finished, tmp_path / "clone", how)
    record = (project.root / TRAINED).read_bytes()
    with tally.fault("results copied to another clone"):
        touched = project.snakemake("--touch", "--forceall", *TARGETS)
        assert touched.returncode == 0, touched.stdout + touched.stderr
        assert project.stale() == set()
        nothing = project.snakemake(*TARGETS)
        assert "Nothing to be done" in nothing.stdout + nothing.stderr
        assert (project.root / TRAINED).read_bytes() == record

        with project.edited("hashgnn/models/hashgnn.py", "margin", "other_margin"):
            stale = project.stale()
        assert {job for job in stale if job.startswith("train")} == {"train shop hashgnn seed0"}
        stale = project.stale({"training": {"epochs": 3}})
        assert {job.split()[0] for job in stale} >= {"train", "evaluate", "figure"}
        assert {job.split()[0] for job in stale} <= {
            "train",
            "evaluate",
            "figure",
            "timing",
            "table",
        }
        with project.edited("odd.tsv", "käufer 39\t", "käufer 40\t"):
            assert "prepare shop" in project.stale()


def test_moved_with_what_snakemake_knows_nothing_is_stale(
    tmp_path: Path, finished: Project, tally: Tally
) -> None:
    with tally.fault("results copied to another clone"):
        assert copy_of(finished, tmp_path / "moved").stale() == set()
