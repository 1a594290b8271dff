"""A stage reads what the stage before it recorded, or says that it does not."""

import argparse
import itertools
import os
import time
from pathlib import Path
from typing import Any

import pytest

from hashgnn.files import atomic_write
from hashgnn.stage import record as machine
from hashgnn.stage.command import Facts, run_stage, stage_parser
from hashgnn.stage.record import recorded_outputs


def _copy(args: argparse.Namespace) -> Facts:
    with atomic_write(args.output) as temporary:
        temporary.write_bytes(args.input.read_bytes())
    return {}


def run(given: Path, made: Path, stage: Any = _copy) -> int:
    parser = stage_parser("Copies.")
    parser.add_argument("--input", type=Path)
    parser.add_argument("--output", type=Path)
    record = made.with_suffix(".provenance.json")
    arguments = ["--input", given, "--output", made, "--provenance", record]
    return run_stage(parser, stage, list(map(str, arguments)))


@pytest.fixture
def chain(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The user's own file, what a stage made of it, and what another will make of that."""
    own, first, second = (tmp_path / name for name in ("own.txt", "first.txt", "second.txt"))
    own.write_text("abcdef")
    assert run(own, first) == 0
    return own, first, second


def test_what_was_written_is_recorded(chain: tuple[Path, Path, Path]) -> None:
    digest = "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721"  # of "abcdef"
    assert recorded_outputs(chain[1].with_suffix(".provenance.json")) == {
        "first.txt": f"sha256:{digest}"
    }


@pytest.mark.parametrize("damage", [b"abc", b"abcdeF", b""])
def test_an_output_that_was_altered_is_not_read(
    chain: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str], damage: bytes
) -> None:
    own, first, second = chain
    first.write_bytes(damage)

    assert run(first, second) == 2
    error = capsys.readouterr().err
    assert f"{first}: altered or damaged since it was made" in error
    assert f"delete {first} and run the same command again" in error
    assert error.count("\n") == 1
    assert not second.exists()

    assert run(own, first) == run(first, second) == 0  # made anew, it is read
    assert second.read_text() == "abcdef"


def test_the_users_own_file_may_be_altered(chain: tuple[Path, Path, Path]) -> None:
    own, first, second = chain
    own.write_text("new")
    assert run(own, first) == run(first, second) == 0
    assert second.read_text() == "new"


def test_a_damaged_record_is_named(
    chain: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, first, second = chain
    first.with_suffix(".provenance.json").write_text('{"outp')
    assert run(first, second) == 2
    assert "first.provenance.json: cannot be read" in capsys.readouterr().err


def test_a_file_that_changes_while_it_is_read_makes_no_record(
    chain: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    def meddled(args: argparse.Namespace) -> Facts:
        args.input.write_text("other")
        return _copy(args)

    own, _, second = chain
    assert run(own, second, meddled) == 2
    assert "own.txt: changed while it was read" in capsys.readouterr().err
    assert not second.with_suffix(".provenance.json").exists()


def test_recording_leaves_the_times_of_what_was_read(chain: tuple[Path, Path, Path]) -> None:
    """Of the user's own file and of a result, though a clock was set back since."""
    future = time.time() + 86_400
    for given, made in itertools.pairwise(chain):
        os.utime(given, (future, future))
        before = given.stat()

        assert run(given, made) == 0

        assert (given.stat().st_mtime_ns, given.stat().st_ctime_ns) == (
            before.st_mtime_ns,
            before.st_ctime_ns,
        )


def group(folder: Path, limit: str, used: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")


def test_memory_is_that_of_the_tightest_control_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "slurm" / "job"
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine, "_folders", lambda: [inner, inner.parent, tmp_path])
    whole = machine.memory_mb()
    assert 0 < machine.available_mb() <= whole

    group(inner, "max", 5 << 20)
    group(inner.parent, str(100 << 20), 30 << 20)
    assert (machine.memory_mb(), machine.available_mb()) == (100, 70)

    group(inner, str(50 << 20), 60 << 20)
    assert (machine.memory_mb(), machine.available_mb()) == (50, 0)


def test_the_groups_around_this_process() -> None:
    folders = machine._folders()

    assert all(folder.is_relative_to(machine.CGROUP) for folder in folders)
