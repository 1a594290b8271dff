import subprocess
import sys
from pathlib import Path

import pytest

from hashgnn.errors import InputError
from hashgnn.locks import write_alone

HOLDER = """
import sys
from pathlib import Path
from hashgnn.locks import write_alone
with write_alone(Path(sys.argv[1])):
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
                write_alone(folder),
            ):
                pass
        if killed:
            holder.kill()
        else:
            holder.communicate(b"")
        holder.wait()
        with write_alone(folder):
            (folder / "made").touch()
    assert [path.name for path in folder.iterdir()] == ["made"]


def test_a_folder_that_was_made_for_nothing_goes_again(tmp_path: Path) -> None:
    with write_alone(tmp_path / "new"):
        pass
    with write_alone(tmp_path):
        pass
    assert tmp_path.exists()
    assert not list(tmp_path.iterdir())
