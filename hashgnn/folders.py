"""Lock folders, and replace several files of a folder together.

``replace_together`` writes new files into a staging folder inside the target. Renaming that folder
to ``.committed`` is the commit, one atomic step: before it the old files are valid, after it the
new ones. The committed files are then moved into place by renames, so a process that has mapped an
old file into memory keeps it. If the process is killed in between, the next reader or writer of the
folder completes the move.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hashgnn.errors import InputError

_STAGED, _COMMITTED, _LOCK = ".staged-", ".committed", ".writing"


def try_lock(handle: int) -> bool:
    """Lock an open file for this process, until it is closed or the process ends.

    Returns False if another process holds the lock, or if the file system has no locks.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def lock_new(handle: int, path: Path) -> bool:
    """Lock a file or folder that this process has just created at ``path``.

    Returns False if another writer removed it as abandoned between creation and locking; that
    writer may hold the lock briefly. Where the file system has no locks, nothing is removed.
    """
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX)
    return _is_same(handle, path)


def _is_same(handle: int, path: Path) -> bool:
    """Return whether ``path`` is still the file that ``handle`` was opened on."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def lock_folder(folder: Path, exclusive: bool) -> Iterator[None]:
    """Hold a lock on ``folder`` during the block, waiting for it if necessary.

    ``exclusive`` locks it for one writer, otherwise it is shared by all readers. Does nothing where
    the file system has no locks.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


@contextmanager
def reserve_folder(folder: Path) -> Iterator[None]:
    """Create ``folder`` and keep other processes from training into it during the block.

    A folder that was created here and is still empty at the end is removed. Raises ``InputError``
    if another process has reserved it.
    """
    created = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _LOCK
    handle = _lock_file(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)
        if created:
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
        except OSError:  # the file system has no locks
            return handle
        if _is_same(handle, path):
            return handle
        os.close(handle)  # its owner has just ended and removed it


@contextmanager
def replace_together(folder: Path, names: Collection[str]) -> Iterator[Path]:
    """Yield an empty staging folder whose files replace those of ``folder`` if the block succeeds.

    Args:
        folder: The target, created if missing.
        names: Relative paths of all files that belong together; those that the block does not
            write are removed from ``folder``. Other files of ``folder`` are left alone.

    Raises:
        InputError: ``folder`` is a file, or a file and a folder would get the same name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{folder}: {error.strerror}; choose a folder") from error
    handle, staged = _new_folder(folder)
    try:
        yield staged
        with lock_folder(folder, exclusive=True):
            _finish(folder)
            made = _files(staged)
            _refuse_conflicts(folder, made)
            staged.rename(folder / _COMMITTED)
            flush(folder)
            _finish(folder)
            for name in set(map(Path, names)) - set(made):
                (folder / name).unlink(missing_ok=True)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        os.close(handle)


@contextmanager
def read_together(folder: Path) -> Iterator[None]:
    """Keep ``replace_together`` from replacing the files of ``folder`` during the block."""
    with lock_folder(folder, exclusive=False):
        if not (folder / _COMMITTED).exists():
            yield
            return
    with lock_folder(folder, exclusive=True):
        _finish(folder)
        yield


def flush(path: Path) -> None:
    """Wait until the contents of a file, or the entries of a folder, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _new_folder(folder: Path) -> tuple[int, Path]:
    """Create a staging folder, locked for the lifetime of its writer."""
    for left in folder.glob(f"{_STAGED}*"):
        _remove_abandoned(left)
    while True:
        staged = folder / f"{_STAGED}{secrets.token_hex(8)}"
        staged.mkdir()
        try:
            handle = os.open(staged, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # removed as abandoned
            continue
        if lock_new(handle, staged):
            return handle, staged
        os.close(handle)


def _remove_abandoned(staged: Path) -> None:
    try:
        handle = os.open(staged, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # already removed, or owned by another user
        return
    if try_lock(handle):
        shutil.rmtree(staged, ignore_errors=True)
    os.close(handle)


def _finish(folder: Path) -> None:
    """Move committed files, if any, into place."""
    committed = folder / _COMMITTED
    if not committed.exists():
        return
    for name in _files(committed):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (committed / name).replace(folder / name)
    shutil.rmtree(committed)


def _files(folder: Path) -> list[Path]:
    """Return all files below ``folder``, relative to it."""
    return [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]


def _refuse_conflicts(folder: Path, names: Collection[Path]) -> None:
    """Raise ``InputError`` where a folder has the name of a new file, or the other way round."""
    for path in (folder / name for name in names):
        if path.is_dir():
            raise InputError(f"{path}: a folder has the name of a file to be written; remove it")
        if path.parent.exists() and not path.parent.is_dir():
            raise InputError(
                f"{path.parent}: a file has the name of a folder to be created; remove it"
            )
