import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from hashgnn.errors import InputError
from hashgnn.files import (
    atomic_write,
    load_array,
    load_arrays,
    load_object,
    save_array,
    save_arrays,
)


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


def write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text)


@pytest.mark.parametrize("target", ["old", None])
def test_a_link_is_followed(tmp_path: Path, target: str | None) -> None:
    real, link = tmp_path / "elsewhere/real.txt", tmp_path / "link.txt"
    real.parent.mkdir()
    if target:
        real.write_text(target)
    link.symlink_to("elsewhere/real.txt")

    write(link, "new")

    assert link.is_symlink()
    assert real.read_text() == "new"
    assert not list(tmp_path.rglob(".partial-*"))


def test_a_link_to_itself_and_a_folder_are_refused_and_named(tmp_path: Path) -> None:
    loop, folder = tmp_path / "loop", tmp_path / "folder"
    loop.symlink_to("loop")
    folder.mkdir()
    for path, number in ((loop, errno.ELOOP), (folder, errno.EISDIR)):
        with pytest.raises(OSError, match=path.name) as caught:
            write(path, "new")
        assert (caught.value.errno, caught.value.filename) == (number, str(path))


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe.csv", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()), daemon=True)
    reader.start()

    write(pipe, "new" * 100_000)

    reader.join(10)
    assert got == ["new" * 100_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_nothing_goes_into_a_pipe_if_the_writer_fails(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def fail_half_way() -> None:
        with atomic_write(pipe) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()  # would wait for a reader if it were written


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
@pytest.mark.parametrize(("minor", "number"), [(3, None), (7, errno.ENOSPC)])
def test_a_device_stays_one(tmp_path: Path, minor: int, number: int | None) -> None:
    """Null, and full: nodes of the test's own, never those in /dev."""
    device = tmp_path / "device"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        device.open("wb").close()
    except OSError as error:
        pytest.skip(f"no devices here: {error}")

    if number is None:
        write(device, "new")
    else:
        with pytest.raises(OSError, match="No space left") as caught:
            write(device, "new")
        assert (caught.value.errno, caught.value.filename) == (number, str(device))

    assert stat.S_ISCHR(device.stat().st_mode)


@pytest.mark.parametrize("through", ["/dev/fd/1", "/proc/self/fd/1", "link"])
def test_an_open_file_is_written_on_not_replaced(tmp_path: Path, through: str) -> None:
    """What ``/dev/stdout`` is: never tried itself, since a fault would replace the machine's."""
    output = tmp_path / "output.txt"
    output.write_text("before\n")
    (tmp_path / "link").symlink_to("/proc/self/fd/1")
    code = (
        "from pathlib import Path\n"
        "from hashgnn.files import atomic_write\n"
        f"with atomic_write(Path({through!r})) as temporary: temporary.write_text('new')\n"
        "print('after')"
    )
    with output.open("a") as file:
        ran = subprocess.run([sys.executable, "-c", code], stdout=file, cwd=tmp_path, check=False)

    assert ran.returncode == 0
    assert output.read_text() == "before\nnewafter\n"


def test_a_file_keeps_its_permissions_and_a_new_one_has_the_usual(tmp_path: Path) -> None:
    private, new = tmp_path / "private", tmp_path / "new"
    private.touch()
    private.chmod(0o640)
    mask = os.umask(0o027)
    try:
        write(private, "new")
        write(new, "new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(private.stat().st_mode) == 0o640
    assert stat.S_IMODE(new.stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["ü" * 120, "语" * 80, "a" * 250, "x." + "y" * 240])
def test_names_as_long_as_a_file_system_takes(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, "new")
    assert [path.name for path in tmp_path.iterdir()] == [name]


WRITER = """
import sys
from pathlib import Path
from hashgnn.files import atomic_write
path, me = Path(sys.argv[1]), sys.argv[2]
for _ in range(300):
    with atomic_write(path) as temporary:
        temporary.write_text(me * 1000)
    assert len(set(path.read_text())) == 1
"""


def test_many_writers_of_one_path_never_remove_what_another_is_writing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, str(me)], stderr=subprocess.PIPE)
        for me in range(6)
    ]
    for writer in writers:
        assert writer.communicate()[1] == b""
        assert writer.returncode == 0
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "null", '"a"', "3", "[" * 100_000, '{"a": "\udcff"}', "ü{}"]
)
def test_what_is_no_json_object_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"a\.json"):
        load_object(path)
