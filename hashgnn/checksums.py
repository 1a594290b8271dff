"""Checksums of files, and lists of them."""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from hashgnn.errors import InputError

# As sha256sum writes them; a backslash before the value says that the name is escaped.
_LISTED = re.compile(
    r"SHA256 \((?P<tagged>.+)\) = (?P<tagged_value>\S+)|(?P<value>[^\s\\]+) [ *]?(?P<name>\S.*)"
)
_LENGTHS = {"md5": 32, "sha256": 64, "gitblob": 40}


class Checksum(NamedTuple):
    """An algorithm (md5, sha256, or gitblob: git's SHA-1 of a file) and its value in hex."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


def parse_checksum(text: str) -> Checksum:
    """Read ``algorithm:hex``; ``InputError`` if it is not one."""
    algorithm, _, value = text.lower().partition(":")
    if len(value) != _LENGTHS.get(algorithm) or set(value) - set("0123456789abcdef"):
        forms = ", ".join(f"{name}:<{length} hex digits>" for name, length in _LENGTHS.items())
        raise InputError(f"checksum {text!r}: expected one of {forms}")
    return Checksum(algorithm, value)


def file_checksum(path: Path, algorithm: str) -> Checksum:
    """The checksum of the file ``path``."""
    # MD5 and SHA-1 find damage here, not forgery: they are what the sources publish.
    digest = hashlib.new("sha1" if algorithm == "gitblob" else algorithm, usedforsecurity=False)
    if algorithm == "gitblob":
        digest.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return Checksum(algorithm, digest.hexdigest())


def listed_checksum(listing: str, name: str) -> Checksum | None:
    """The SHA-256 of ``name`` in the text of a ``SHA256SUMS`` file, if it is listed there.

    ``InputError`` for a line that is not one of ``sha256sum``, with or without ``--tag``, and for
    a name with two checksums: what cannot be understood must not pass for a list without the name.
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
        raise InputError(f"is listed with {len(found)} checksums; leave one")
    return found.pop() if found else None
