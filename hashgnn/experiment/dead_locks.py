"""Snakemake's lock on a folder, removed where the Snakemake that took it was killed.

A Snakemake that is killed leaves its lock behind, and every later one refuses to start. Here each
holds a lock of the operating system as well, a shared one for as long as it lives. Who could have
that one for itself alone is the only one alive, on this machine: Snakemake's lock is a dead one's
if it was taken on this machine too.
"""

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path

from hashgnn.files import lock_alone

_FILE = "alive"

# Held until the process ends.
_held: dict[Path, int] = {}


def remove_dead_locks(folder: Path) -> None:
    """Remove the locks in ``folder`` (.snakemake) if nobody who took them is alive.

    Locks of another machine, or on a file system without locks, are left to ``--unlock``.
    """
    path = folder.resolve() / _FILE
    if path in _held:
        return
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
        _held[path] = handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if lock_alone(handle) and os.read(handle, 1024).decode() == socket.gethostname():
            for lock in (folder / "locks").glob("*.lock"):
                lock.unlink(missing_ok=True)
        fcntl.flock(handle, fcntl.LOCK_SH)


def sign_locks(folder: Path) -> None:
    """Note that the locks in ``folder`` were taken on this machine: by whoever has just done so."""
    if handle := _held.get(folder.resolve() / _FILE):
        os.ftruncate(handle, 0)
        os.pwrite(handle, socket.gethostname().encode(), 0)
