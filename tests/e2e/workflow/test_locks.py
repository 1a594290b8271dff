"""Locks belong to Snakemake: none is removed but by its own --unlock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.workflow.project import Project


@pytest.fixture
def lock(project: Project) -> Iterator[Path]:
    """A lock as the Snakemake of any Snakefile takes it on one of the outputs."""
    path = project.root / ".snakemake/locks/0.output.lock"
    path.parent.mkdir(exist_ok=True)
    path.write_text("results/table1.csv\n")
    yield path
    path.unlink(missing_ok=True)


def test_a_dry_run_leaves_the_lock_of_another_snakemake_alone(project: Project, lock: Path) -> None:
    assert project.snakemake("--dry-run").returncode == 0

    assert lock.exists()


def test_a_run_is_refused_until_the_user_unlocks_the_folder(project: Project, lock: Path) -> None:
    refused = project.snakemake("--forcerun", "table", "--", "results/table1.csv")

    assert refused.returncode
    assert "Directory cannot be locked" in refused.stdout + refused.stderr
    assert lock.exists()

    assert project.snakemake("--unlock").returncode == 0
    assert not lock.exists()
    ran = project.snakemake("--", "results/table1.csv")
    assert ran.returncode == 0, ran.stdout + ran.stderr
