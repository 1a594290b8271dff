"""The text that commands read and write: UTF-8 everywhere, whatever the terminal's encoding."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hashgnn.errors import InputError
from hashgnn.files import atomic_write


def speak_utf8() -> None:
    """Write standard output in UTF-8, as files are; bytes of a path that are none as they are."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")


def drop_unwritten() -> None:
    """Forget what the standard streams did not take, at which Python would fail again at exit."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


@contextmanager
def open_output(output: str) -> Iterator[IO[str]]:
    """Standard output for ``-``; else a file that is whole or not there."""
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
    """The bytes of standard input; ``InputError`` if it is closed."""
    if sys.stdin is None:
        raise InputError("standard input is closed; name a file in place of -")
    return sys.stdin.buffer


def read_lines(path: str) -> list[str]:
    """The lines that are not blank; ``InputError`` names the first that is not UTF-8."""
    content = standard_input().read() if path == "-" else Path(path).read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: not UTF-8 text; save it as UTF-8") from error
    lines = io.StringIO(text, newline=None)  # any of the line ends, and nothing else
    return [line.rstrip("\n") for line in lines if line.strip()]


def as_typed(text: str, option: str) -> str:
    """An argument that Python took for other than the UTF-8 it is; ``InputError`` if it is none."""
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that the locale's encoding does not have
        try:
            return os.fsencode(text).decode()
        except UnicodeDecodeError as error:
            raise InputError(f"{option} {text!r}: not UTF-8 text") from error
    return text
