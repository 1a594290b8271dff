"""Read a file that may be compressed or an archive. Nothing is ever unpacked to disk."""

import bz2
import gzip
import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

import pyarrow as pa

from hashgnn.errors import InputError

# What is found where in a file of which kind. Content tells more than the name: a pipe has none,
# and df.parquet.gzip, pandas' own example, is no gzip file.
_MARKS = (
    (0, b"PAR1\x15", ".parquet"),  # with the first byte of its next header, which no text has
    (0, b"\x1f\x8b\x08", ".gz"),
    (0, b"\xfd7zXZ\0", ".xz"),
    (0, b"\x28\xb5\x2f\xfd", ".zst"),
    (0, b"PK\x03\x04", ".zip"),
    (4, b"1AY&SY", ".bz2"),
    (257, b"ustar", ".tar"),
)
_NAMES = {name: name for name in (".gz", ".bz2", ".xz", ".zst", ".zip")}
_NAMES |= {".gzip": ".gz", ".zstd": ".zst"}
_DECOMPRESSORS: dict[str, Callable[[Any], Any]] = {
    ".gz": lambda stream: gzip.GzipFile(mode="rb", fileobj=stream),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": lambda stream: pa.CompressedInputStream(stream, "zstd"),
}
_LAYERS = 4  # a file may decompress to itself, without end
_BUFFER = 1 << 18  # bytes
_LITTER = ("thumbs.db", "ehthumbs.db", "desktop.ini")

_DAMAGE = (
    EOFError,
    NotImplementedError,  # zipfile's, of a compression that it does not know
    OSError,
    RuntimeError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)


class Content(NamedTuple):
    """What a file holds, without what it is wrapped in."""

    name: str  # of the member, or of the file without ``.gz`` and such
    wrapped: bool  # compressed, or in an archive
    parquet: bool


@contextmanager
def open_data(path: Path, member: str | None = None) -> Iterator[IO[bytes]]:
    """Yield the uncompressed bytes of ``path`` as a stream.

    ``member`` names the file wanted inside a zip archive; it may be left out where there is
    only one. ``InputError`` if there is no such member, or the file is damaged or no regular file.
    """
    with _opened(path, member) as (stream, _):
        yield stream


def describe_data(path: Path, member: str | None = None) -> Content:
    """Tell what ``open_data`` gives; ``InputError`` as there."""
    with _opened(path, member) as (_, content):
        return content


@contextmanager
def _opened(path: Path, member: str | None) -> Iterator[tuple[IO[bytes], Content]]:
    try:
        with ExitStack() as stack:
            yield _unwrapped(path, member, stack)
    except _DAMAGE as error:
        raise InputError(
            f"{path}: cannot be read, damaged or not what its name says ({error}); "
            "if it was downloaded, delete it and run the same command again"
        ) from error


def _unwrapped(path: Path, member: str | None, stack: ExitStack) -> tuple[IO[bytes], Content]:
    _require_regular(path)
    stream: IO[bytes] = stack.enter_context(path.open("rb"))
    name, layers = path.name, 0
    while (kind := _kind(stream, name)) in (".zip", *_DECOMPRESSORS):
        if layers == _LAYERS:
            raise InputError(f"{path}: compressed more than {_LAYERS} times over; unpack it")
        if kind == ".zip":
            archive = stack.enter_context(zipfile.ZipFile(stream))
            name, member = _member(path, archive, member), None
            inner: Any = stack.enter_context(archive.open(name))
        else:
            name = _without_suffix(name)
            inner = stack.enter_context(_DECOMPRESSORS[kind](stream))
        stream = stack.enter_context(io.BufferedReader(inner, _BUFFER))
        layers += 1
    if member:
        raise InputError(f"{path}: member {member!r} is asked for, but this is no zip archive")
    if kind == ".tar":
        raise InputError(f"{path}: is a tar archive, which is not read; unpack it")
    return stream, Content(name, layers > 0, kind == ".parquet")


def _require_regular(path: Path) -> None:
    """Readers open a file more than once, and each time only part of a pipe would be left."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(
            f"{path}: is no regular file, and only such can be read more than once; save what it "
            "gives as a file"
        )


def _kind(stream: Any, name: str) -> str | None:  # any stream that can peek
    """The suffix that the content has earned; else the one of its name, if known."""
    start = stream.peek(_BUFFER)
    found = (kind for place, mark, kind in _MARKS if start.startswith(mark, place))
    return next(found, _NAMES.get(PurePosixPath(name).suffix.lower()))


def _without_suffix(name: str) -> str:
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in _NAMES else name


def _member(path: Path, archive: zipfile.ZipFile, member: str | None) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if member in names:
        return member
    names = [name for name in names if not _is_litter(name)]
    if member is None and len(names) == 1:
        return names[0]
    wanted = f"no member {member!r}" if member else "name the member to read in format.member"
    raise InputError(f"{path}: {wanted}; there are: {', '.join(names[:20]) or 'none'}")


def _is_litter(name: str) -> bool:
    """Whether a desktop has left it in an archive, unasked."""
    *folders, last = name.split("/")
    hidden = any(part.startswith(".") and part not in (".", "..") for part in (*folders, last))
    return hidden or "__MACOSX" in folders or last.lower() in _LITTER
