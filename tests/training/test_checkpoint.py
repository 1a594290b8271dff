"""What is read of a training's state, and what is said where it cannot be used."""

import errno
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from hashgnn.training.checkpoint import Checkpoint, State


def saved(path: Path) -> tuple[Checkpoint, State]:
    state = {
        "iteration": 7,
        "weights": {"a": torch.arange(400.0).reshape(50, 8)},
        "history": [{"loss": 0.5}],
        "best": [0.25, 1, {"a": torch.ones(50, 8)}],
    }
    checkpoint = Checkpoint(path / "checkpoint.pt", "one", every_seconds=0)
    checkpoint.save_if_due(lambda: state)
    return checkpoint, state


def alike(one: State | None, other: State) -> bool:
    if one is None or one["iteration"] != other["iteration"]:
        return False
    pairs = ((one["weights"]["a"], other["weights"]["a"]), (one["best"][2]["a"], torch.ones(50, 8)))
    return all(torch.equal(*pair) for pair in pairs) and one["history"] == other["history"]


def test_a_state_comes_back_and_nothing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, state = saved(tmp_path)

    assert alike(checkpoint.load(), state)
    assert Checkpoint(tmp_path / "none.pt", "one").load() is None
    assert Checkpoint(Path("/dev/null"), "one").load() is None
    assert capsys.readouterr().err == ""


def test_the_state_of_another_training_is_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, _ = saved(tmp_path)
    checkpoint.fingerprint = "two"

    assert checkpoint.load() is None
    assert capsys.readouterr().err == (
        f"{checkpoint.path}: of other settings, code, device or data; "
        "the training starts from the beginning\n"
    )


def cut(content: bytearray, rng: random.Random) -> bytes:
    return bytes(content[: rng.randrange(len(content))])


def flip(content: bytearray, rng: random.Random) -> bytes:
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def blank(content: bytearray, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    content[start : start + 512] = bytes(len(content[start : start + 512]))
    return bytes(content)


def noise(content: bytearray, rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(2000))


@pytest.mark.parametrize("damage", [cut, flip, blank, noise])
def test_a_damaged_state_is_never_used(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[bytearray, random.Random], bytes],
) -> None:
    """Changed numbers, too, which torch reads without complaint."""
    checkpoint, state = saved(tmp_path)
    whole = checkpoint.path.read_bytes()
    rng = random.Random(0)
    for _ in range(300):
        checkpoint.path.write_bytes(damage(bytearray(whole), rng))
        found = checkpoint.load()
        said = capsys.readouterr().err
        if found is None:
            assert said == f"{checkpoint.path}: damaged; the training starts from the beginning\n"
        else:  # the damage was where nothing is stored
            assert alike(found, state)
            assert said == ""


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(errno.EACCES, "Permission denied"),
        OSError(errno.EIO, "Input/output error"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_no_damage_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    checkpoint, _ = saved(tmp_path)

    def load(*given: object, **settings: object) -> None:
        raise error

    monkeypatch.setattr(torch, "load", load)

    with pytest.raises(type(error)):
        checkpoint.load()
