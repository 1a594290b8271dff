"""Read files that may be compressed or zip archives, without unpacking them to disk."""

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

# Kinds of files by position and bytes of their signature. The content counts more than the name:
# df.parquet.gzip, an example of pandas' documentation, is no gzip file.
_MARKS = (
    (0, b"PAR1\x15", ".parquet"),  # the fifth byte begins a header and occurs in no text
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
_LAYERS = 4  # a file may decompress to itself
_BUFFER = 1 << 18  # bytes
_LITTER = ("thumbs.db", "ehthumbs.db", "desktop.ini")

_DAMAGE = (
    EOFError,
    NotImplementedError,  # by zipfile, for an unknown compression
    OSError,
    RuntimeError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)


class Content(NamedTuple):
    """The content of a file below its layers of compression and archives."""

    name: str  # of the member, or of the file without a suffix such as ``.gz``
    wrapped: bool  # compressed, or in an archive
    parquet: bool


def label_of(path: Path, member: str | None) -> str:
    """Return how errors call a file, or a member of an archive."""
    return f"{path}: {member}" if member else str(path)


@contextmanager
def open_data(path: Path, member: str | None = None) -> Iterator[IO[bytes]]:
    """Yield the uncompressed bytes of ``path`` as a stream.

    Args:
        path: a regular file.
        member: the file to read inside a zip archive; optional if there is only one.

    Raises:
        InputError: there is no such member, or the file is damaged or no regular file.
    """
    with _opened(path, member) as (stream, _):
        yield stream


def describe_data(path: Path, member: str | None = None) -> Content:
    """Return what ``open_data`` would yield; ``InputError`` as there."""
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
            "if it was downloaded, delete it and rerun"
        ) from error


def _unwrapped(path: Path, member: str | None, stack: ExitStack) -> tuple[IO[bytes], Content]:
    _require_regular(path)
    stream: IO[bytes] = stack.enter_context(path.open("rb"))
    name, layers = path.name, 0
    while (kind := _kind(stream, name)) in (".zip", *_DECOMPRESSORS):
        if layers == _LAYERS:
            raise InputError(f"{path}: compressed more than {_LAYERS} times; unpack it")
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
        raise InputError(f"{path}: has no member {member!r}: it is no zip archive")
    if kind == ".tar":
        raise InputError(f"{path}: is a tar archive, which is not supported; unpack it")
    return stream, Content(name, layers > 0, kind == ".parquet")


def _require_regular(path: Path) -> None:
    """Refuse pipes and devices: readers open a file more than once."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(
            f"{path}: is no regular file, which cannot be read more than once; save its content "
            "as a file"
        )


def _kind(stream: Any, name: str) -> str | None:  # any stream that can peek
    """Return the suffix that fits the content; else the suffix of the name, if known."""
    start = stream.peek(_BUFFER)
    found = (kind for place, mark, kind in _MARKS if start.startswith(mark, place))
    return next(found, _NAMES.get(PurePosixPath(name).suffix.lower()))


def _without_suffix(name: str) -> str:
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in _NAMES else name


def _member(path: Path, archive: zipfile.ZipFile, member: str | None) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if names.count(member or "") > 1:
        raise InputError(f"{path}: holds several members {member!r}, and only one could be read")
    if member in names:
        return member
    names = [name for name in names if not _is_litter(name)]
    if member is None and len(names) == 1:
        return names[0]
    wanted = f"no member {member!r}" if member else "name the member to read in format.member"
    raise InputError(f"{path}: {wanted}; there are: {', '.join(names[:20]) or 'none'}")


def _is_litter(name: str) -> bool:
    """Return whether an operating system added the member to the archive."""
    *folders, last = name.split("/")
    hidden = any(part.startswith(".") and part not in (".", "..") for part in (*folders, last))
    return hidden or "__MACOSX" in folders or last.lower() in _LITTER
