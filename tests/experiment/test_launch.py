"""The package's path and the times of results, before the first job."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hashgnn.experiment.launch import end_future, package_folder


def test_the_package_is_found_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "a:b {c}"
    (project / "hashgnn").mkdir(parents=True)
    (project / "hashgnn/__init__.py").write_text("HERE = True\n")
    (project / "random.py").write_text("raise SystemExit('the user's own file')\n")
    monkeypatch.chdir(tmp_path)

    path = package_folder(project, Path("links"))

    assert path == package_folder(project, Path("links"))  # a second run takes the same
    assert ":" not in str(path)
    assert [entry.name for entry in path.iterdir()] == ["hashgnn"]
    check = "import random, hashgnn; assert hashgnn.HERE"
    environment = {**os.environ, "PYTHONPATH": str(path), "PYTHONSAFEPATH": "1"}
    assert subprocess.run([sys.executable, "-c", check], env=environment).returncode == 0


def test_two_projects_have_two_folders(tmp_path: Path) -> None:
    assert package_folder(tmp_path / "a", tmp_path) != package_folder(tmp_path / "b", tmp_path)


def test_times_in_the_future_end_now_and_others_stay(tmp_path: Path) -> None:
    past, future, missing = (tmp_path / name for name in ("past", "future", "missing"))
    now = time.time()
    for path, at in ((past, now - 1000), (future, now + 1000)):
        path.touch()
        os.utime(path, (at, at))

    end_future(map(str, (past, future, missing)))

    assert past.stat().st_mtime < now - 900
    assert now - 10 < future.stat().st_mtime <= time.time()
    assert not missing.exists()
