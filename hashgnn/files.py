"""Files that are either whole or not there."""

import errno
import glob
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hashgnn.errors import InputError
from hashgnn.locks import lock_alone, lock_own
from hashgnn.special_files import is_replaceable, written_through

# Of writing: no room, too large, more than one's share, read-only.
_REFUSED = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS)

_watchers: list[list[Path]] = []


@contextmanager
def written_files() -> Iterator[list[Path]]:
    """Yield a list that grows by each path that ``atomic_write`` puts into place meanwhile."""
    written: list[Path] = []
    _watchers.append(written)
    try:
        yield written
    finally:
        _watchers.remove(written)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path; what the block writes there becomes ``path`` if it succeeds.

    The temporary file keeps the suffix of ``path``, so that writers that choose a format by
    suffix do the same for both. It lies beside ``path`` and is renamed into place: a kill at any
    moment leaves ``path`` as it was, and the next write of ``path`` removes what stayed behind.
    A file that was there keeps its permissions.
    Links are followed. What is no regular file (a pipe, a device, ``/dev/stdout``) stays what it
    is: the finished content is written into it.
    """
    with _named(path):
        with _beside(path) if is_replaceable(path) else written_through(path) as temporary:
            yield temporary
        for written in _watchers:
            written.append(path)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Yield a new file that will replace ``path``, or the file that the link ``path`` leads to."""
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
    """Make an empty file beside ``path``, locked for as long as its writer lives."""
    # In bytes, since the system counts these: a name may have 255.
    name = os.fsencode(path.name)[:100].decode(errors="ignore")
    prefix, suffix = f".partial-{name}-", path.suffix[:20]
    for left in path.parent.glob(f"{glob.escape(prefix)}*"):
        _remove_dead(left)
    while True:
        temporary = path.with_name(f"{prefix}{secrets.token_hex(8)}{suffix}")
        try:
            handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            error.filename = str(path)
            raise
        if lock_own(handle, temporary):
            return handle, temporary
        os.close(handle)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Errors of a disk that takes no more name ``path``; by themselves they name no file, or
    one that was being read meanwhile.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:  # numpy tells no more than how much was written
            error.strerror = str(error)
        if error.errno in (None, *_REFUSED):
            error.filename = str(path)
        raise


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
    except Exception as error:  # a damaged header can claim any size, nest or end anywhere
        raise _damaged(path, error) from error


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read a ``.npz`` file without unpickling; ``InputError`` if it is missing or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return dict(archive)
    except Exception as error:  # zipfile, zlib and struct each have errors of their own
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


def _remove_dead(temporary: Path) -> None:
    """Remove a temporary file whose writer was killed; one whose writer lives is locked."""
    try:
        handle = os.open(temporary, os.O_RDWR)
    except OSError:  # gone meanwhile, or another user's
        return
    if lock_alone(handle):
        temporary.unlink(missing_ok=True)
    os.close(handle)


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
