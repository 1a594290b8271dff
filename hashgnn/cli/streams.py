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
    """Forget what standard output did not take: Python would try again, and complain, at exit."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
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


def read_lines(file: IO[bytes]) -> list[str]:
    """The lines that are not blank; ``InputError`` names the first that is not UTF-8."""
    content = file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        name = getattr(file, "name", "-")
        raise InputError(f"{name}, line {line}: not UTF-8 text; save it as UTF-8") from error
    lines = io.StringIO(text, newline=None)  # any of the line ends, and nothing else
    return [line.rstrip("\n") for line in lines if line.strip()]
