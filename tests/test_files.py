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
    read_together,
    replace_together,
    reserve_folder,
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


NAMES = ["a", "b", "c", "sub/a", "sub/b"]


def write_folder(folder: Path, text: str, names: list[str] = NAMES) -> None:
    with replace_together(folder, NAMES) as staged:
        for name in names:
            (staged / name).parent.mkdir(exist_ok=True)
            (staged / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    with read_together(folder):
        return {name: (folder / name).read_text() for name in NAMES if (folder / name).exists()}


def test_files_that_are_not_written_anew_go_and_those_of_others_stay(tmp_path: Path) -> None:
    write_folder(tmp_path, "old")
    (tmp_path / "notes").write_text("mine")
    write_folder(tmp_path, "new", ["a", "sub/b"])
    assert content(tmp_path) == {"a": "new", "sub/b": "new"}
    assert {path.name for path in tmp_path.iterdir()} == {"a", "sub", "notes"}


def test_what_fails_changes_nothing(tmp_path: Path) -> None:
    write_folder(tmp_path, "old")

    def fail_half_way() -> None:
        with replace_together(tmp_path, NAMES) as staged:
            (staged / "a").write_text("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert content(tmp_path) == dict.fromkeys(NAMES, "old")
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "c", "sub"}


@pytest.mark.parametrize(("name", "makes"), [("b", Path.mkdir), ("sub", Path.touch)])
def test_what_lies_in_the_way_is_found_before_anything_is_replaced(
    tmp_path: Path, name: str, makes: object
) -> None:
    write_folder(tmp_path, "old", ["a"])
    makes(tmp_path / name)  # type: ignore[operator]
    with pytest.raises(InputError, match=f"{tmp_path / name}: a "):
        write_folder(tmp_path, "new")
    assert (tmp_path / "a").read_text() == "old"


def test_an_open_file_keeps_what_it_had(tmp_path: Path) -> None:
    write_folder(tmp_path, "old")
    with (tmp_path / "a").open() as file:
        write_folder(tmp_path, "new")
        assert file.read() == "old"


# Ends itself, as a kill would, before its n-th change of the disk; forks, to start but once.
KILLED = """
import os, shutil, sys
from pathlib import Path
from tests.test_files import NAMES, write_folder

def die_at(count):
    left = [count]
    def counted(call):
        def replacement(*arguments, **options):
            if not left[0]:
                os._exit(9)
            left[0] -= 1
            return call(*arguments, **options)
        return replacement
    for name in ("rename", "replace", "unlink", "mkdir", "rmdir", "fsync", "open"):
        setattr(os, name, counted(getattr(os, name)))

root = Path(sys.argv[1])
for count in range(1000):
    folder = root / str(count)
    write_folder(folder, "old")
    if not (child := os.fork()):
        die_at(count)
        write_folder(folder, "new", NAMES[1:])
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        print(count)
        break
"""


def test_a_kill_at_any_moment_leaves_all_old_files_or_all_new_ones(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    old, new = dict.fromkeys(NAMES, "old"), dict.fromkeys(NAMES[1:], "new")
    found = []
    for count in range(int(ran.stdout) + 1):
        folder = tmp_path / str(count)
        held = content(folder)
        stale = held.get("a") == "old" and held != old  # removed last; nobody reads it
        found.append({name: held[name] for name in NAMES[1:]} if stale else held)
        write_folder(folder, "newest")  # also removes what the killed one left
        assert content(folder) == dict.fromkeys(NAMES, "newest")
        assert {path.name for path in folder.iterdir()} == {"a", "b", "c", "sub"}
    commit = found.index(new)
    assert 5 < commit < len(found) - 5
    assert found == [old] * commit + [new] * (len(found) - commit)


FOLDER_WRITER = """
import sys
from pathlib import Path
from tests.test_files import content, write_folder
folder, me = Path(sys.argv[1]), sys.argv[2]
for _ in range(60):
    write_folder(folder, me)
    held = content(folder)
    assert len(held) == 5 and len(set(held.values())) == 1, held
"""


def test_many_writers_and_readers_at_once_never_see_a_mixture(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", FOLDER_WRITER, tmp_path, str(me)], stderr=subprocess.PIPE
        )
        for me in range(5)
    ]
    for writer in writers:
        error = writer.communicate()[1]
        assert writer.returncode == 0, error.decode()
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "c", "sub"}


def test_a_file_where_the_folder_is_to_go_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "within"):
        with (
            pytest.raises(InputError, match=f"^{folder}: .*; choose a folder$"),
            replace_together(folder, []),
        ):
            pass
    assert (tmp_path / "file").read_text() == "mine"


HOLDER = """
import sys
from pathlib import Path
from hashgnn.files import reserve_folder
with reserve_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", HOLDER, folder]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    return holder


@pytest.mark.parametrize("killed", [False, True])
def test_a_folder_is_written_by_one_at_a_time(tmp_path: Path, killed: bool) -> None:
    folder = tmp_path / "a/model"
    with hold(folder) as holder:
        for _ in range(2):
            with (
                pytest.raises(InputError, match=f"^{folder}: another process"),
                reserve_folder(folder),
            ):
                pass
        if killed:
            holder.kill()
        else:
            holder.communicate(b"")
        holder.wait()
        with reserve_folder(folder):
            (folder / "made").touch()
    assert [path.name for path in folder.iterdir()] == ["made"]


def test_a_folder_that_was_made_for_nothing_goes_again(tmp_path: Path) -> None:
    with reserve_folder(tmp_path / "new"):
        pass
    with reserve_folder(tmp_path):
        pass
    assert tmp_path.exists()
    assert not list(tmp_path.iterdir())
