"""Outputs of a stage that were cut short or altered by hand."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.faults.experiment import TARGETS, copy_of, results
from tests.e2e.faults.replay import made_files, recorded_stages, run
from tests.e2e.faults.tally import Tally
from tests.e2e.workflow.project import Project

pytestmark = pytest.mark.faults


def truncate(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip_a_bit(content: bytes) -> bytes:
    at = len(content) - len(content) // 8
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def empty(content: bytes) -> bytes:
    return b""


DAMAGES = [truncate, flip_a_bit, empty]


def damage(path: Path, how: Callable[[bytes], bytes]) -> None:
    """Change the content, not the time: only the content tells."""
    times = path.stat()
    path.write_bytes(how(path.read_bytes()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_no_stage_reads_what_was_damaged(
    tmp_path: Path, finished: Project, tally: Tally, capsys: pytest.CaptureFixture[str]
) -> None:
    project = copy_of(finished, tmp_path / "project")
    made = made_files(project)
    read = set()
    for stage in recorded_stages(project):
        for given in set(stage.inputs) & made:
            whole = given.read_bytes()
            before = {path: path.read_bytes() for path in stage.outputs}
            for how in DAMAGES:
                with tally.fault("an output cut short or altered"):
                    damage(given, how)
                    assert run(project, stage) == 2, (stage, given)
                    name = given.relative_to(project.root)
                    error = capsys.readouterr().err.splitlines()[-1]
                    assert error.startswith(f"error: {name}: altered or damaged")
                    assert f"delete {name} and run the same command again" in error
                    assert before == {path: path.read_bytes() for path in stage.outputs}
                given.write_bytes(whole)
            # Figures and tables share a module, whose first argument is the function.
            shown = stage.module == "hashgnn.reporting.entries"
            read.add(stage.arguments[0] if shown else stage.module)
    assert len(read) >= 12  # all but those that read no result


@pytest.mark.parametrize(
    ("damaged", "lost", "how"),
    [
        ("results/shop/split.npz", "results/shop/hashgnn/bits8/seed0/user_codes.npy", truncate),
        ("results/shop/hash_ste/bits8/seed0/metrics.csv", "figures/fig3.svg", flip_a_bit),
    ],
)
def test_snakemake_stops_there_and_what_the_error_says_mends_it(
    tmp_path: Path,
    finished: Project,
    tally: Tally,
    damaged: str,
    lost: str,
    how: Callable[[bytes], bytes],
) -> None:
    project = copy_of(finished, tmp_path / "project")
    with tally.fault("an output cut short or altered, whole workflow"):
        damage(project.root / damaged, how)
        (project.root / lost).unlink()  # so that something reads it
        ran = project.snakemake(*TARGETS)
        assert ran.returncode
        assert f"error: {damaged}: altered or damaged since it was made" in ran.stdout + ran.stderr

        (project.root / damaged).unlink()
        ran = project.snakemake(*TARGETS)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert results(project) == results(finished)
