"""Read and write standard streams, pipes and text files; text is UTF-8 on every terminal."""

import io
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hashgnn.errors import InputError
from hashgnn.files import atomic_write

STANDARD_INPUT = Path("-")


def use_utf8() -> None:
    """Write standard output in UTF-8; bytes of a path that are not UTF-8 are kept."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")


def drop_unwritten() -> None:
    """Discard output that the standard streams refused; flushing it at exit would fail again."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


@contextmanager
def open_output(output: str) -> Iterator[IO[str]]:
    """Yield standard output for ``-``, or else a file that is written atomically."""
    if output != "-":
        with atomic_write(Path(output)) as temporary, temporary.open("w", encoding="utf-8") as file:
            yield file
        return
    if sys.stdout is None:
        raise InputError("standard output is closed; give --output FILE")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except OSError as error:
        error.filename = error.filename or "standard output"
        raise


def standard_input() -> IO[bytes]:
    """Return standard input as bytes; raise ``InputError`` if it is closed."""
    if sys.stdin is None:
        raise InputError("standard input is closed; give a file instead of -")
    return sys.stdin.buffer


def read_lines(path: str) -> list[str]:
    """Return the lines of a file, or of standard input for ``-``, without blank ones.

    Raises ``InputError`` naming the first line that is not UTF-8.
    """
    content = standard_input().read() if path == "-" else Path(path).read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: not UTF-8 text; save it as UTF-8") from error
    lines = io.StringIO(text, newline=None)  # splits at \n, \r and \r\n only
    return [line.rstrip("\n") for line in lines if line.strip()]


def decode_argument(text: str, option: str) -> str:
    """Return an argument decoded as UTF-8, whatever the encoding of the locale.

    Raises ``InputError`` naming ``option`` if it is not UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that are invalid in the locale's encoding
        try:
            return os.fsencode(text).decode()
        except UnicodeDecodeError as error:
            raise InputError(f"{option} {text!r}: not UTF-8 text") from error
    return text


@contextmanager
def spooled(paths: Iterable[Path]) -> Iterator[dict[Path, Path]]:
    """Yield a regular file for each of ``paths``: itself, or a temporary copy of a pipe's content.

    Raises ``InputError`` for a device or socket, and if there is no room for a copy.
    """
    with tempfile.TemporaryDirectory(prefix="hashgnn-tables-") as folder:
        yield {
            path: _spool(path, Path(folder, f"{number}-{path.name}"))
            for number, path in enumerate(dict.fromkeys(paths))
        }


def _spool(path: Path, copy: Path) -> Path:
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
