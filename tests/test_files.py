import errno
from pathlib import Path

import numpy as np
import pytest

from hashgnn.errors import InputError
from hashgnn.files import atomic_write, load_array, load_arrays, save_array, save_arrays


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail_half_way() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_arrays_survive_the_round_trip(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    save_array(tmp_path / "a.npy", array)
    save_arrays(tmp_path / "b.npz", x=array, y=np.int64(5))

    np.testing.assert_array_equal(load_array(tmp_path / "a.npy", memory_map=True), array)
    loaded = load_arrays(tmp_path / "b.npz")
    np.testing.assert_array_equal(loaded["x"], array)
    assert loaded["y"] == 5


@pytest.mark.parametrize("damage", ["truncated", "pickled", "missing"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    npy, npz = tmp_path / "a.npy", tmp_path / "a.npz"
    if damage == "truncated":
        save_array(npy, np.arange(100))
        save_arrays(npz, x=np.arange(100))
        for path in (npy, npz):
            path.write_bytes(path.read_bytes()[:-200])
    elif damage == "pickled":
        np.save(npy, np.array([{}], dtype=object), allow_pickle=True)
        np.savez(npz, x=np.array([{}], dtype=object))

    for path, load in ((npy, load_array), (npz, load_arrays)):
        with pytest.raises(InputError, match=path.name):
            load(path)


def test_what_a_killed_writer_left_is_removed_but_not_what_one_that_lives_writes(
    tmp_path: Path,
) -> None:
    left = tmp_path / ".partial-a.txt-dead.txt"
    other = tmp_path / ".partial-b.txt-dead.txt"  # of another file
    for path in (left, other):
        path.touch()

    with atomic_write(tmp_path / "a.txt") as first:
        first.write_text("first")
        assert not left.exists()
        with atomic_write(tmp_path / "a.txt") as second:
            second.write_text("second")
            assert first.exists()
    assert (tmp_path / "a.txt").read_text() == "first"
    assert other.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, None])
def test_a_disk_that_takes_no_more_is_told_of_the_file(tmp_path: Path, number: int | None) -> None:
    path = tmp_path / "a.npy"
    with pytest.raises(OSError, match="no room") as caught, atomic_write(path):
        raise OSError(number, "no room", "elsewhere") if number else OSError("no room")
    assert caught.value.filename == str(path)
    assert not list(tmp_path.iterdir())
