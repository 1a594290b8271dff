"""The user's own file, moved away, of the future or edited meanwhile; code edited meanwhile."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.workflow.project import Project

MADE = "results/shop/interactions.npz"


@pytest.fixture
def copy(project: Any, tmp_path: Path) -> Project:
    """What ran, to be harmed."""
    root = shutil.copytree(project.root, tmp_path / "copy", symlinks=True)
    return Project(root)


def test_a_file_that_was_moved_away_ends_in_one_line(copy: Project) -> None:
    (copy.root / "odd.tsv").unlink()

    ran = copy.snakemake("--", MADE)

    assert ran.returncode == 1
    said = ran.stdout + ran.stderr
    assert f"shop: odd.tsv: no file 'odd.tsv' in {copy.root}, where relative paths begin" in said
    assert "Traceback" not in said


def test_the_plan_warns_of_a_file_that_is_not_there(copy: Project) -> None:
    (copy.root / "odd.tsv").unlink()
    shutil.rmtree(copy.root / "results/shop/download")

    ran = copy.snakemake("-n", "--", MADE)

    assert ran.returncode == 0, ran.stderr
    place = f"{copy.root}, where relative paths begin; "
    assert f"warning: shop: odd.tsv: no file 'odd.tsv' in {place}" in ran.stderr


def test_relative_addresses_begin_where_snakemake_does(copy: Project) -> None:
    (copy.root / "there").mkdir()
    planned = copy.snakemake("-n", "--config", "workdir=there", "--", MADE)
    assert planned.returncode == 0, planned.stdout + planned.stderr

    config = ("--snakefile", "Snakefile", "--directory", "there")
    moved = copy.snakemake("-n", *config, "--", MADE)
    assert f"no file 'odd.tsv' in {copy.root}/there, where relative" in moved.stdout + moved.stderr


def test_a_file_of_the_future_is_read_and_left_as_it_is(copy: Project) -> None:
    """A clock that was set back makes such files."""
    own, future = copy.root / "odd.tsv", time.time() + 86_400
    own.write_text(own.read_text(encoding="utf-8") + "new\t5\tsku-1\n", encoding="utf-8")
    os.utime(own, (future, future))

    ran = copy.snakemake("--", MADE)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert own.stat().st_mtime == future
    assert copy.stale_files(targets=[MADE]) == []


def test_code_that_was_edited_while_a_job_waited_is_not_run(copy: Project) -> None:
    record = json.loads((copy.root / "results/tiny/split.provenance.json").read_text())
    edited = copy.root / "hashgnn/config/data_sets.py"  # which the stage imports
    edited.write_text(edited.read_text() + "assert True\n")  # runs whatever is imported of it

    ran = subprocess.run(
        [sys.executable, *record["command"][1:]],
        cwd=copy.root,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(copy.root)},
    )

    assert ran.returncode == 2
    assert ran.stderr.startswith("error: the code of hashgnn.data.split changed since")
    assert ran.stderr.count("\n") == 1
