"""Files of a folder are replaced together, whatever happens, by one process at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from hashgnn.errors import InputError
from hashgnn.folders import read_together, replace_together, reserve_folder

NAMES = ["a", "b", "c", "sub/a", "sub/b"]


def write(folder: Path, text: str, names: list[str] = NAMES) -> None:
    with replace_together(folder, NAMES) as staged:
        for name in names:
            (staged / name).parent.mkdir(exist_ok=True)
            (staged / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    with read_together(folder):
        return {name: (folder / name).read_text() for name in NAMES if (folder / name).exists()}


def test_files_that_are_not_written_anew_go_and_those_of_others_stay(tmp_path: Path) -> None:
    write(tmp_path, "old")
    (tmp_path / "notes").write_text("mine")
    write(tmp_path, "new", ["a", "sub/b"])
    assert content(tmp_path) == {"a": "new", "sub/b": "new"}
    assert {path.name for path in tmp_path.iterdir()} == {"a", "sub", "notes"}


def test_what_fails_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, "old")

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
    write(tmp_path, "old", ["a"])
    makes(tmp_path / name)  # type: ignore[operator]
    with pytest.raises(InputError, match=f"{tmp_path / name}: a "):
        write(tmp_path, "new")
    assert (tmp_path / "a").read_text() == "old"


def test_an_open_file_keeps_what_it_had(tmp_path: Path) -> None:
    write(tmp_path, "old")
    with (tmp_path / "a").open() as file:
        write(tmp_path, "new")
        assert file.read() == "old"


# Ends itself, as a kill would, before its n-th change of the disk; forks, to start but once.
KILLED = """
import os, shutil, sys
from pathlib import Path
from tests.test_folders import NAMES, write

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
    write(folder, "old")
    if not (child := os.fork()):
        die_at(count)
        write(folder, "new", NAMES[1:])
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
        write(folder, "newest")  # also removes what the killed one left
        assert content(folder) == dict.fromkeys(NAMES, "newest")
        assert {path.name for path in folder.iterdir()} == {"a", "b", "c", "sub"}
    commit = found.index(new)
    assert 5 < commit < len(found) - 5
    assert found == [old] * commit + [new] * (len(found) - commit)


WRITER = """
import sys
from pathlib import Path
from tests.test_folders import content, write
folder, me = Path(sys.argv[1]), sys.argv[2]
for _ in range(60):
    write(folder, me)
    held = content(folder)
    assert len(held) == 5 and len(set(held.values())) == 1, held
"""


def test_many_writers_and_readers_at_once_never_see_a_mixture(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, str(me)], stderr=subprocess.PIPE)
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
from hashgnn.folders import reserve_folder
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
