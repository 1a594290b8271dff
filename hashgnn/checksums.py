"""Compute checksums of files, and read lists of checksums."""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from hashgnn.errors import InputError

# The format of sha256sum; a backslash before the value marks an escaped name.
_LISTED = re.compile(
    r"SHA256 \((?P<tagged>.+)\) = (?P<tagged_value>\S+)|(?P<value>[^\s\\]+) [ *]?(?P<name>\S.*)"
)
_LENGTHS = {"md5": 32, "sha256": 64, "gitblob": 40}


class Checksum(NamedTuple):
    """An algorithm (md5, sha256, or gitblob: git's SHA-1 of a file) and a value in hexadecimal."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


def parse_checksum(text: str) -> Checksum:
    """Parse ``algorithm:hex``; raise ``InputError`` if ``text`` has another form."""
    algorithm, _, value = text.lower().partition(":")
    if len(value) != _LENGTHS.get(algorithm) or set(value) - set("0123456789abcdef"):
        forms = ", ".join(f"{name}:<{length} hex digits>" for name, length in _LENGTHS.items())
        raise InputError(f"checksum {text!r}: expected one of {forms}")
    return Checksum(algorithm, value)


def file_checksum(path: Path, algorithm: str) -> Checksum:
    """Return the checksum of the file ``path``; see ``Checksum`` for ``algorithm``."""
    # MD5 and SHA-1 detect damage, not forgery; some sources publish nothing else.
    digest = hashlib.new("sha1" if algorithm == "gitblob" else algorithm, usedforsecurity=False)
    if algorithm == "gitblob":
        digest.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return Checksum(algorithm, digest.hexdigest())


def listed_checksum(listing: str, name: str) -> Checksum | None:
    """Return the SHA-256 of ``name`` from a ``SHA256SUMS`` file; None if it is not listed.

    Args:
        listing: The text of the file, as ``sha256sum`` writes it, with or without ``--tag``.
        name: The file to look up.

    Raises:
        InputError: A line cannot be parsed, or ``name`` has two different checksums. An unreadable
            list must not count as one that lacks the name.
    """
    found: set[Checksum] = set()
    for number, line in enumerate(listing.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = _LISTED.fullmatch(line.rstrip())
        if parts is None:
            raise InputError(
                f"line {number}: {line[:80]!r}: expected 64 hex digits, two blanks and a name"
            )
        listed = parts["name"] or parts["tagged"]
        if listed.removeprefix("./") == name:
            found.add(parse_checksum(f"sha256:{parts['value'] or parts['tagged_value']}"))
    if len(found) > 1:
        raise InputError(f"is listed with {len(found)} checksums; keep one")
    return found.pop() if found else None
