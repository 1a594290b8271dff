"""Disks that are full, files that must not grow, folders that cannot be written."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.faults.experiment import copy_of
from tests.e2e.faults.namespaces import Prefix, with_mount
from tests.e2e.faults.replay import ONE_THREAD, Stage, recorded_stages
from tests.e2e.faults.tally import Tally
from tests.e2e.workflow.project import Project

pytestmark = pytest.mark.faults

# What holds times, so that a second run of its stage, or of another, gives other bytes.
TIMED = (
    "timing.csv",
    "query_times.csv",
    "provenance.csv",
    "provenance.md",
    "provenance.html",
)

# What a stage writes to while it runs.
KEPT = ("checkpoint.pt", "study.journal")

# What the system says, numpy and torch.
FULL = ("File too large", "No space left on device", "requested and", "cannot be written")


def replay(
    project: Project, stage: Stage, prefix: Prefix = (), limit: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-m", stage.module, *stage.arguments]
    return subprocess.run(
        command,
        cwd=project.root,
        capture_output=True,
        text=True,
        preexec_fn=limit,
        env=ONE_THREAD,
    )


def check_failure(
    project: Project, stage: Stage, ran: subprocess.CompletedProcess[str], *words: str
) -> None:
    """One line that says why, nothing half-written, and no record of something that is not so."""
    last = ran.stderr.splitlines()[-1]
    assert ran.returncode == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    assert last.startswith("error: ")
    assert any(word in last for word in words), last
    names = [path.name for path in [*stage.outputs, stage.record]]
    assert any(name in last for name in [*names, *KEPT]), last
    assert last.endswith("free disk space or repair the file system, then rerun")
    assert not stage.record.exists()
    assert not list(project.root.rglob(".partial-*"))


def check_recovery(project: Project, stage: Stage, expected: dict[Path, bytes]) -> None:
    ran = replay(project, stage)
    assert ran.returncode == 0, ran.stderr
    for path in [path for path in stage.outputs if path.name not in TIMED]:
        assert path.read_bytes() == expected[path], path


def without_outputs(stage: Stage) -> dict[Path, bytes]:
    """Remove what the stage made, and return it."""
    made = {path: path.read_bytes() for path in [*stage.outputs, stage.record]}
    for path in made:
        path.unlink()
    return made


def restore(made: dict[Path, bytes]) -> None:
    for path, content in made.items():
        path.write_bytes(content)


def test_no_room_for_a_file(tmp_path: Path, finished: Project, tally: Tally) -> None:
    """By a limit on the size of files, a little below that of the largest output."""
    project = copy_of(finished, tmp_path / "project")
    for stage in recorded_stages(project):
        largest = max(path.stat().st_size for path in stage.outputs)
        given = without_outputs(stage)
        with tally.fault("no room for a file"):
            ran = replay(project, stage, limit=lambda size=largest: limit_files(size - 1))
            check_failure(project, stage, ran, *FULL)
        check_recovery(project, stage, given)


def limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk(tmp_path: Path, finished: Project, tally: Tally) -> None:
    """A disk of its own for the folder of the largest output, smaller than that."""
    if not with_mount("mount -t tmpfs none /mnt"):
        # Only root, or a user with namespaces of their own, may mount: many containers forbid both.
        pytest.skip("no file system can be mounted here")
    project = copy_of(finished, tmp_path / "project")
    for stage in recorded_stages(project):
        largest = max(stage.outputs, key=lambda path: path.stat().st_size)
        blocks = (largest.stat().st_size - 1) // 4096
        if not blocks:
            continue  # smaller than the smallest disk
        given = without_outputs(stage)
        with tally.fault("a full disk"):
            ran = replay(project, stage, with_mount(full_disk(largest.parent, blocks, stage)))
            check_failure(project, stage, ran, *FULL)
        restore(given)


def full_disk(folder: Path, blocks: int, stage: Stage) -> str:
    """Lay a small disk over a folder; what the stage reads from there is bound into it."""
    read = [path.relative_to(folder) for path in stage.inputs if folder in path.parents]
    keep = [
        f"mkdir -p /mnt/{path.parent} && touch /mnt/{path} && "
        f"mount --bind {folder / path} /mnt/{path}"
        for path in read
    ]
    disk = f"mount -t tmpfs -o size={blocks * 4}k,nr_inodes=100 none /mnt"
    return " && ".join([disk, *keep, f"mount --rbind /mnt {folder}"])


def test_folders_that_cannot_be_written(tmp_path: Path, finished: Project, tally: Tally) -> None:
    project = copy_of(finished, tmp_path / "project")
    read_only = with_mount(
        f"mount --bind {project.root} {project.root} && "
        f"mount -o remount,ro,bind {project.root} && cd {project.root}"
    )
    if not read_only:
        # As above; modes do not do, since root may write whatever they say.
        pytest.skip("no folder can be made read-only here")
    for stage in recorded_stages(project):
        given = without_outputs(stage)
        with tally.fault("a folder that cannot be written"):
            ran = replay(project, stage, read_only)
            check_failure(project, stage, ran, "Read-only file system")
        restore(given)


def test_snakemake_on_a_full_disk_goes_on_when_there_is_room(
    tmp_path: Path, finished: Project, tally: Tally
) -> None:
    project = copy_of(finished, tmp_path / "project")
    lost = project.root / "results/tiny/triplets2/seed0.npy"
    whole = lost.read_bytes()
    lost.unlink()
    target = str(lost.relative_to(project.root))
    with tally.fault("no room for a file, whole workflow"):
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "tiny.yaml"]
        ran = subprocess.run(
            [*command, "--", target],
            cwd=project.root,
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            preexec_fn=lambda: limit_files(len(whole) - 1),
        )
        assert ran.returncode
        assert "File too large" in ran.stdout + ran.stderr
        assert not lost.exists()
        ran = project.snakemake("--", target)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert lost.read_bytes() == whole
