"""Files that are either whole or not there."""

import errno
import fcntl
import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hashgnn.errors import InputError

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
    """Yield a temporary path beside ``path``; rename it into place if the block succeeds.

    The temporary file keeps the suffix of ``path``, so that writers that choose a format by
    suffix do the same for both. A kill at any moment leaves ``path`` as it was; the temporary
    file that stays behind is removed by the next write of ``path``.
    """
    with _named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".partial-{path.name[:100]}-"
        for left in path.parent.glob(f"{glob.escape(prefix)}*"):
            _remove_dead(left)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=path.suffix)
        temporary = Path(name)
        try:
            lock_alone(handle)
            yield temporary
            _flush(temporary)
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
            for written in _watchers:
                written.append(path)
        finally:
            temporary.unlink(missing_ok=True)
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
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(path, error) from error


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read a ``.npz`` file without unpickling; ``InputError`` if it is missing or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return dict(archive)
    except Exception as error:  # zipfile, zlib and struct each have errors of their own
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: cannot be read ({error}); delete it and run the same command again")


def lock_alone(handle: int) -> bool:
    """Lock an open file for this process alone, until it is closed or the process dies.

    False if another holds it, or where the file system has no such locks.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_dead(temporary: Path) -> None:
    """Remove a temporary file whose writer was killed; one whose writer lives is locked."""
    try:
        handle = os.open(temporary, os.O_RDWR)
    except OSError:  # gone meanwhile, or another user's
        return
    if lock_alone(handle):
        temporary.unlink(missing_ok=True)
    os.close(handle)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
