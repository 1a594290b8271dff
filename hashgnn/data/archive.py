"""Read a file that may be compressed. Nothing is ever unpacked to disk."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from hashgnn.errors import InputError

COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")

_DAMAGE = (
    EOFError,
    NotImplementedError,  # zipfile's, of a compression that it does not know
    OSError,
    RuntimeError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def open_data(path: Path, member: str | None = None) -> Iterator[IO[bytes]]:
    """Yield the uncompressed bytes of ``path`` as a stream.

    ``member`` names the file wanted inside a zip archive; it may be left out where there is
    only one. ``InputError`` if there is no such member, or the file is damaged.
    """
    try:
        with ExitStack() as stack:
            yield _open(path, member, stack)
    except _DAMAGE as error:
        raise InputError(
            f"{path}: cannot be read, damaged or not what its name says ({error}); "
            "if it was downloaded, delete it and run the same command again"
        ) from error


def inner_name(path: Path, member: str | None = None) -> str:
    """The name of the data themselves: of the member, or of the file without ``.gz`` and such."""
    return member or (path.stem if path.suffix in COMPRESSED else path.name)


def _open(path: Path, member: str | None, stack: ExitStack) -> IO[bytes]:
    if path.suffix == ".zip":
        archive = stack.enter_context(zipfile.ZipFile(path))
        return stack.enter_context(archive.open(_member(path, archive, member)))
    if member:
        raise InputError(f"{path}: member {member!r} is asked for, but this is no zip archive")
    if path.suffix == ".zst":
        source = stack.enter_context(pa.CompressedInputStream(str(path), "zstd"))
        return stack.enter_context(io.BufferedReader(source))
    opener = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(path.suffix, Path.open)
    return stack.enter_context(cast(Callable[[Path, str], IO[bytes]], opener)(path, "rb"))


def _member(path: Path, archive: zipfile.ZipFile, member: str | None) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    names = [name for name in names if not name.startswith("__MACOSX/")]
    if member in names:
        return member
    if member is None and len(names) == 1:
        return names[0]
    wanted = f"no member {member!r}" if member else "name the member to read in format.member"
    raise InputError(f"{path}: {wanted}; there are: {', '.join(names[:20]) or 'none'}")
