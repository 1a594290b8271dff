"""Regular files in place of pipes, which can be read once, where readers look more often."""

import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hashgnn.cli.streams import standard_input
from hashgnn.errors import InputError

STANDARD_INPUT = Path("-")


@contextmanager
def spooled(paths: Iterable[Path]) -> Iterator[dict[Path, Path]]:
    """Yield the file to read for each of ``paths``: itself, or a copy of what a pipe gives.

    The copies are removed at the end. ``InputError`` for a device, a socket and what does not fit.
    """
    with tempfile.TemporaryDirectory(prefix="hashgnn-tables-") as folder:
        yield {
            path: _file(path, Path(folder, f"{number}-{path.name}"))
            for number, path in enumerate(dict.fromkeys(paths))
        }


def _file(path: Path, copy: Path) -> Path:
    if path == STANDARD_INPUT:
        _copy(standard_input(), path, copy)
        return copy
    mode = path.stat().st_mode
    if stat.S_ISREG(mode):
        return path
    if not stat.S_ISFIFO(mode):
        raise InputError(f"{path}: neither a regular file nor a pipe; give one")
    with path.open("rb") as pipe:
        _copy(pipe, path, copy)
    return copy


def _copy(pipe: IO[bytes], path: Path, copy: Path) -> None:
    try:
        with copy.open("wb") as file:
            shutil.copyfileobj(pipe, file, 1 << 20)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be copied to {copy.parent} ({error.strerror}); set TMPDIR to a folder "
            "with room, or give a regular file"
        ) from error
