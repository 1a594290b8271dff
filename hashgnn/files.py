"""Write files atomically, also several of a folder together; read arrays and JSON; checksums.

Errors of reading name the file. ``replace_together`` writes new files into a staging folder inside
the target. Renaming that folder to ``.committed`` is the commit, one atomic step: before it the old
files are valid, after it the new ones. The committed files are then moved into place by renames, so
a process that has mapped an old file into memory keeps it. If the process is killed in between, the
next reader or writer of the folder completes the move.
"""

import errno
import fcntl
import glob
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hashgnn.errors import InputError

# The disk is full, the file too large, the quota exceeded, the file system read-only.
_REFUSED = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS)
_MAX_LINKS = 40  # as many as Linux follows

# The format of sha256sum; a backslash before the value marks an escaped name.
_LISTED = re.compile(
    r"SHA256 \((?P<tagged>.+)\) = (?P<tagged_value>\S+)|(?P<value>[^\s\\]+) [ *]?(?P<name>\S.*)"
)
_LENGTHS = {"md5": 32, "sha256": 64, "gitblob": 40}

_listeners: list[list[Path]] = []


@contextmanager
def written_files() -> Iterator[list[Path]]:
    """Yield a list to which ``atomic_write`` appends each path that it writes during the block."""
    written: list[Path] = []
    _listeners.append(written)
    try:
        yield written
    finally:
        _listeners.remove(written)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path whose content becomes ``path`` if the block succeeds.

    The temporary file lies in the same folder, has the same suffix (some writers choose the format
    by it) and is renamed to ``path`` at the end, so that a kill leaves ``path`` unchanged; the next
    write of ``path`` removes the remains. An existing file keeps its permissions, and links are
    followed. If ``path`` is not a regular file (a pipe, a device, ``/dev/stdout``), the finished
    content is written into it.

    Raises:
        OSError: The file cannot be written; ``filename`` is ``path``.
    """
    with _naming(path):
        with _beside(path) if _is_replaceable(path) else _written_through(path) as temporary:
            yield temporary
        for written in _listeners:
            written.append(path)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Yield a new file that replaces ``path``, or the target of the link ``path``."""
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = _new_file(target)
    try:
        kept = stat.S_IMODE((target if target.exists() else temporary).stat().st_mode)
        _set_mode(handle, kept | stat.S_IRUSR | stat.S_IWUSR)
        yield temporary
        _set_mode(handle, kept)
        flush(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def _set_mode(handle: int, mode: int) -> None:
    if stat.S_IMODE(os.fstat(handle).st_mode) != mode:
        os.fchmod(handle, mode)


def _new_file(path: Path) -> tuple[int, Path]:
    """Create an empty file beside ``path``, locked for the lifetime of its writer."""
    # The limit of 255 for a name counts bytes.
    name = os.fsencode(path.name)[:100].decode(errors="ignore")
    prefix, suffix = f".partial-{name}-", path.suffix[:20]
    for left in path.parent.glob(f"{glob.escape(prefix)}*"):
        _remove_abandoned(left)
    while True:
        temporary = path.with_name(f"{prefix}{secrets.token_hex(8)}{suffix}")
        try:
            handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            error.filename = str(path)
            raise
        if lock_new(handle, temporary):
            return handle, temporary
        os.close(handle)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Set ``path`` as the file of errors of a full or read-only disk.

    Such errors name no file, or one that was being read at the time.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:  # numpy reports only how much was written
            error.strerror = str(error)
        if error.errno in (None, *_REFUSED):
            error.filename = str(path)
        raise


def _is_replaceable(path: Path) -> bool:
    """Return whether ``path`` is a regular file or does not exist.

    Raises ``IsADirectoryError`` for a folder.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return True
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return stat.S_ISREG(mode) and _own_descriptor(path) is None


@contextmanager
def _written_through(path: Path) -> Iterator[Path]:
    """Yield a temporary file that is copied into ``path`` if the block succeeds."""
    with tempfile.TemporaryDirectory(prefix="hashgnn-") as folder:
        temporary = Path(folder, path.name)
        temporary.touch()
        yield temporary
        try:
            descriptor = _own_descriptor(path)
            opened = path.open("wb") if descriptor is None else os.fdopen(os.dup(descriptor), "wb")
            with opened as into, temporary.open("rb") as file:
                shutil.copyfileobj(file, into, 1 << 20)
        except OSError as error:
            error.filename = str(path)
            raise


def _own_descriptor(path: Path) -> int | None:
    """Return the open descriptor that ``path`` names, or None; ``/dev/stdout`` names 1.

    Opening such a path again would truncate what a shell's ``>>`` has written to it.
    """
    for _ in range(_MAX_LINKS):
        if path.name.isdecimal() and os.path.realpath(path.parent) == os.path.realpath("/dev/fd"):
            return int(path.name)
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def save_array(path: Path, array: np.ndarray) -> None:
    """Write ``array`` as ``.npy``, atomically."""
    with atomic_write(path) as temporary:
        np.save(temporary, array, allow_pickle=False)


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write named arrays as an uncompressed ``.npz``, atomically."""
    with atomic_write(path) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def load_array(path: Path, memory_map: bool = False) -> np.ndarray:
    """Read a ``.npy`` file without unpickling; ``InputError`` if it is missing or damaged."""
    try:
        return np.load(path, mmap_mode="r" if memory_map else None, allow_pickle=False)
    except Exception as error:  # a damaged header raises errors of many types
        raise _damaged(path, error) from error


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read a ``.npz`` file without unpickling; ``InputError`` if it is missing or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return dict(archive)
    except Exception as error:  # zipfile, zlib and struct raise their own
        raise _damaged(path, error) from error


def load_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; ``InputError`` if it is missing, damaged or something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    if not isinstance(value, dict):
        raise InputError(
            f"{path}: expected a JSON object, found a {type(value).__name__}; delete it and run "
            "the same command again"
        )
    return value


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: cannot be read ({error}); delete it and run the same command again")


def _remove_abandoned(temporary: Path) -> None:
    """Remove a temporary file whose writer was killed; a live writer holds the lock."""
    try:
        handle = os.open(temporary, os.O_RDWR)
    except OSError:  # already removed, or owned by another user
        return
    if try_lock(handle):
        temporary.unlink(missing_ok=True)
    os.close(handle)


class Checksum(NamedTuple):
    """An algorithm (md5, sha256, or gitblob: git's SHA-1 of a file) and a value in hexadecimal."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


def parse_checksum(text: str) -> Checksum:
    """Parse ``algorithm:hex``; raise ``InputError`` if ``text`` has another form."""
    algorithm, _, value = text.lower().partition(":")
    if len(value) != _LENGTHS.get(algorithm) or set(value) - set("0123456789abcdef"):
        forms = ", ".join(f"{name}:<{length} hex digits>" for name, length in _LENGTHS.items())
        raise InputError(f"checksum {text!r}: expected one of {forms}")
    return Checksum(algorithm, value)


def file_checksum(path: Path, algorithm: str) -> Checksum:
    """Return the checksum of the file ``path``; see ``Checksum`` for ``algorithm``."""
    # MD5 and SHA-1 detect damage, not forgery; some sources publish nothing else.
    digest = hashlib.new("sha1" if algorithm == "gitblob" else algorithm, usedforsecurity=False)
    if algorithm == "gitblob":
        digest.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return Checksum(algorithm, digest.hexdigest())


def listed_checksum(listing: str, name: str) -> Checksum | None:
    """Return the SHA-256 of ``name`` from a ``SHA256SUMS`` file; None if it is not listed.

    Args:
        listing: The text of the file, as ``sha256sum`` writes it, with or without ``--tag``.
        name: The file to look up.

    Raises:
        InputError: A line cannot be parsed, or ``name`` has two different checksums. An unreadable
            list must not count as one that lacks the name.
    """
    found: set[Checksum] = set()
    for number, line in enumerate(listing.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = _LISTED.fullmatch(line.rstrip())
        if parts is None:
            raise InputError(
                f"line {number}: {line[:80]!r}: expected 64 hex digits, two blanks and a name"
            )
        listed = parts["name"] or parts["tagged"]
        if listed.removeprefix("./") == name:
            found.add(parse_checksum(f"sha256:{parts['value'] or parts['tagged_value']}"))
    if len(found) > 1:
        raise InputError(f"is listed with {len(found)} checksums; keep one")
    return found.pop() if found else None


# Locks, and several files of a folder.

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
        _remove_staged(left)
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


def _remove_staged(staged: Path) -> None:
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
