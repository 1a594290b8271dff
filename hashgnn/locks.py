"""Locks of the operating system on files and folders; they end with the process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hashgnn.errors import InputError

_ALONE = ".writing"


def lock_alone(handle: int) -> bool:
    """Lock an open file for this process alone, until it is closed or the process dies.

    False if another holds it, or where the file system has no such locks.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def lock_own(handle: int, path: Path) -> bool:
    """Lock what this process has just made as ``path``; False if it was taken for dead meanwhile.

    Between making and locking, another writer may hold the lock for a moment, to remove it. Where
    the file system has no locks, nobody removes anything.
    """
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX)
    return is_still(handle, path)


def is_still(handle: int, path: Path) -> bool:
    """Whether ``path`` is what ``handle`` was opened as."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def lock_folder(folder: Path, alone: bool) -> Iterator[None]:
    """Wait for a lock on ``folder``, for this thread ``alone`` or shared by all who read.

    Nothing is locked where the file system has no such locks.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


@contextmanager
def write_alone(folder: Path) -> Iterator[None]:
    """Make ``folder``, and refuse by ``InputError`` whoever wants it too before the block ends."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _ALONE
    handle = _lock_file(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)
        if made:
            with suppress(OSError):  # not empty
                folder.rmdir()


def _lock_file(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise InputError(
                f"{path.parent}: another process is training a model into it; wait until that has "
                "ended, or choose another folder"
            ) from error
        except OSError:  # no locks here
            return handle
        if is_still(handle, path):
            return handle
        os.close(handle)  # of one that has just ended, and removed it
