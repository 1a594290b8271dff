import argparse
import errno
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hashgnn.errors import InputError
from hashgnn.files import atomic_write, written_files
from hashgnn.stage import command
from hashgnn.stage.command import (
    Terminated,
    exit_status,
    interruptible,
    progress_file,
    progress_path,
    read_progress,
    report,
    run_stage,
    stage_parser,
)


def run(tmp_path: Path, stage: Any) -> tuple[int, Path]:
    parser = stage_parser("A stage.")
    parser.add_argument("--input", type=Path)
    parser.add_argument("--output", type=Path)
    given, made, record = (tmp_path / name for name in ("in.txt", "out.txt", "record.json"))
    given.write_text("abc")
    arguments = ["--settings", '{"k": 1}', "--provenance", str(record)]
    return run_stage(
        parser, stage, [*arguments, "--input", str(given), "--output", str(made)]
    ), record


def test_a_record_tells_how_the_result_came_to_be(tmp_path: Path) -> None:
    def stage(args: argparse.Namespace) -> dict[str, object]:
        args.output.write_text("made")
        return {"rows": args.settings["k"]}

    status, record = run(tmp_path, stage)

    facts = json.loads(record.read_text())
    assert status == 0
    assert facts["rows"] == 1
    assert facts["settings"] == {"k": 1}
    assert facts["device"] == "cpu"
    assert 10 < facts["peak_memory_mb"] < 100_000
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of "abc"
    assert facts["inputs"] == {str(tmp_path / "in.txt"): f"sha256:{digest}"}
    kinds = {"command", "seconds", "peak_memory_mb", "threads", "versions", "machine", "git_commit"}
    assert kinds <= set(facts)


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("data.csv: no column 'user'"), 2, "error: data.csv: no column 'user'\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "out.npy"),
            1,
            "error: out.npy: No space left on device; free disk space or repair the file system, "
            "then rerun\n",
        ),
    ],
)
def test_a_failure_is_one_line_and_leaves_no_record(
    tmp_path: Path, capsys: Any, error: Exception, status: int, line: str
) -> None:
    def stage(args: argparse.Namespace) -> dict[str, object]:
        raise error

    found, record = run(tmp_path, stage)

    assert found == status
    assert capsys.readouterr().err == line
    assert not record.exists()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_an_interrupted_stage_says_how_to_go_on_and_cleans_up(
    tmp_path: Path, capsys: Any, number: int, status: int
) -> None:
    def stage(args: argparse.Namespace) -> dict[str, object]:
        with atomic_write(args.output) as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), number)
            time.sleep(5)
        return {}

    before = signal.getsignal(signal.SIGTERM)
    found, _ = run(tmp_path, stage)

    assert found == status
    assert capsys.readouterr().err == "error: interrupted: run the same command again\n"
    assert [path.name for path in tmp_path.iterdir()] == ["in.txt"]
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_stage_that_cannot_fit_is_refused_before_it_starts(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hashgnn.stage.command.memory_mb", lambda: 24_000)

    def stage(args: argparse.Namespace) -> dict[str, object]:
        (tmp_path / "ran").touch()
        return {}

    assert run_stage(stage_parser(""), stage, ["--needs-mb", "65952"]) == 2
    assert capsys.readouterr().err.startswith(
        "error: about 65,952 MB of memory are needed, but the machine has 24,000 MB; use a larger"
    )
    assert not (tmp_path / "ran").exists()
    assert run_stage(stage_parser(""), stage, ["--needs-mb", "24000"]) == 0


@pytest.mark.parametrize(("cause", "status"), [(KeyboardInterrupt(), 130), (Terminated(), 143)])
def test_a_signal_within_a_compiled_kernel_is_still_an_interruption(
    cause: KeyboardInterrupt, status: int
) -> None:
    """numba: "SystemError: CPUDispatcher(...) returned a result with an exception set"."""
    inner, outer = SystemError("in a kernel"), SystemError("around it")
    inner.__cause__, outer.__cause__ = cause, inner

    with pytest.raises(KeyboardInterrupt) as caught, interruptible():
        raise outer

    assert caught.value is cause
    assert exit_status(cause) == status


def test_another_system_error_stays_what_it_is() -> None:
    with pytest.raises(SystemError, match="of its own"), interruptible():
        raise SystemError("of its own")


def test_another_thread_handles_no_signals() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with interruptible():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [before]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "run" / "train.provenance.json"


def test_progress_is_written_beside_the_record_and_removed(record: Path) -> None:
    with written_files() as written, progress_file(record):
        report(3, 10, "iterations")

        told = read_progress(record)
        assert told is not None
        assert told[:3] == (3, 10, "iterations")
        assert (told.process, told.is_running()) == (os.getpid(), True)
    assert list(record.parent.iterdir()) == []
    assert written == []  # it is no output of the stage


def test_it_is_written_once_per_interval(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(command.time, "monotonic", lambda: clock[0])
    with progress_file(record):
        found = []
        for clock[0] in (0.0, 0.5, 0.9, 1.0, 1.5):
            report(clock[0], 2, "s")
            found.append(json.loads(progress_path(record).read_text())["done"])
    assert found == [0.0, 0.0, 0.0, 1.0, 1.0]


def test_it_is_removed_after_an_error(record: Path) -> None:
    def stop() -> None:
        with progress_file(record):
            report(1, 2, "users")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert not progress_path(record).exists()


def test_outside_of_a_stage_nothing_is_written(tmp_path: Path) -> None:
    with progress_file(None):
        report(1, 2, "users")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_stops_no_stage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with progress_file(tmp_path / "file" / "train.provenance.json"):
        report(1, 2, "users")


def test_a_dead_process_is_not_running(record: Path) -> None:
    with progress_file(record):
        report(1, 2, "users")
        told = read_progress(record)
    assert told is not None
    assert not told._replace(process=2**22 + 1).is_running()
    assert not told._replace(machine="elsewhere", updated=0.0).is_running()
    assert told._replace(machine="elsewhere").is_running()
    assert read_progress(record) is None
