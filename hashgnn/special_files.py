"""What is written that is no regular file: pipes, devices, open files such as ``/dev/stdout``."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MOST_LINKS = 40  # as many as Linux follows


def is_replaceable(path: Path) -> bool:
    """Whether ``path`` is, or will be, a regular file that has a name. A folder is refused."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return True
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return stat.S_ISREG(mode) and _own_descriptor(path) is None


@contextmanager
def written_through(path: Path) -> Iterator[Path]:
    """Yield a new file; what the block writes there goes into ``path`` if it succeeds."""
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
    """The open file of this process that ``path`` stands for, as ``/dev/stdout`` does for 1.

    Opening such a path anew would cut off what a shell's ``>>`` has written to it before.
    """
    for _ in range(_MOST_LINKS):
        if path.name.isdecimal() and os.path.realpath(path.parent) == os.path.realpath("/dev/fd"):
            return int(path.name)
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None
