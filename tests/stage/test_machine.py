from pathlib import Path

import pytest

from hashgnn.stage import record as machine


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
