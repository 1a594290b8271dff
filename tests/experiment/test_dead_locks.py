"""Snakemake's locks, as processes take them that live or have died."""

import subprocess
import sys
from pathlib import Path

import pytest

from hashgnn.experiment.dead_locks import remove_dead_locks

# Takes a lock as Snakemake does, says so, and waits to be killed.
HOLDER = """
import sys
from pathlib import Path
from hashgnn.experiment.dead_locks import remove_dead_locks, sign_locks
folder = Path(sys.argv[1])
remove_dead_locks(folder)
(folder / "locks").mkdir()
(folder / "locks/0.output.lock").write_text("a.npy")
sign_locks(folder)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("state", ["alive", "killed", "killed on another machine"])
def test_only_the_lock_of_a_dead_process_of_this_machine_is_removed(
    tmp_path: Path, state: str
) -> None:
    folder = tmp_path / ".snakemake"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        if state != "alive":
            holder.kill()
            holder.wait()
        if state == "killed on another machine":
            (folder / "alive").write_text("another-machine")

        remove_dead_locks(folder)
        assert (folder / "locks/0.output.lock").exists() == (state != "killed")
        holder.kill()
