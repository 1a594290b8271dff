import json
import os
from pathlib import Path

import pytest

from hashgnn.files import written_files
from hashgnn.stage import progress
from hashgnn.stage.progress import progress_file, progress_path, read_progress, report


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
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
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
