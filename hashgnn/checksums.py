"""Checksums of files, and lists of them."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from hashgnn.errors import InputError

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
    """The SHA-256 of ``name`` in the text of a ``SHA256SUMS`` file, if it is listed there."""
    for line in listing.splitlines():
        value, _, listed = line.partition(" ")
        if listed.lstrip(" *").removeprefix("./") == name:
            return parse_checksum(f"sha256:{value}")
    return None
