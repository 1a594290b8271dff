"""Checksums of the files that stages write and read, compared with what was recorded."""

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hashgnn.checksums import file_checksum
from hashgnn.errors import InputError, shown
from hashgnn.files import load_object


class Inputs:
    """Those of ``paths`` that are there, with their checksums.

    Raises ``InputError`` if one is not what a record beside it, other than ``own_record``, says.
    A file that no record tells of is the user's own.
    """

    def __init__(self, paths: Iterable[Path], own_record: Path | None) -> None:
        given = [path for path in dict.fromkeys(paths) if path.is_file() and path != own_record]
        self._states = {path: _state(path) for path in given}
        self._checksums = {path: _checksum(path) for path in given}
        told = cache(lambda folder: _told(folder, own_record))
        for path, checksum in self._checksums.items():
            _check(path, checksum, told(path.parent))

    def unchanged(self, written: Collection[Path]) -> dict[str, str]:
        """SHA-256 by path of all that are not ``written``, which were outputs made anew.

        Raises ``InputError`` if one is another file than at the start.
        """
        read = [path for path in self._states if path not in written]
        for path in read:
            if _state(path) != self._states[path] and _checksum(path) != self._checksums[path]:
                raise InputError(f"{path}: changed while it was read; run the same command again")
        return {str(path): self._checksums[path] for path in read}


def _told(folder: Path, own_record: Path | None) -> dict[str, tuple[Path, str]]:
    """Record and checksum by name of the files in ``folder`` that records beside them tell of."""
    records = set(folder.glob(f"*{SUFFIX}")) - {own_record}
    return {
        name: (record, checksum)
        for record in sorted(filter(None, records))
        for name, checksum in recorded_outputs(record).items()
    }


def _check(path: Path, found: str, told: dict[str, tuple[Path, str]]) -> None:
    record, expected = told.get(path.name, (None, found))
    if record and found != expected:
        raise altered(
            path, expected, found, record, f"delete {path} and run the same command again"
        )


def _checksum(path: Path) -> str:
    return str(file_checksum(path, "sha256"))


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


SUFFIX = ".provenance.json"
CHECKSUM = "record_checksum"
_OBJECTS = ("settings", "inputs", "outputs", "versions", "integer_ids")


def describe_outputs(record: Path, written: Iterable[Path]) -> dict[str, str]:
    """SHA-256 by path, relative to the folder of ``record``, of the files that are still there."""
    return {
        os.path.relpath(path, record.parent): str(file_checksum(path, "sha256"))
        for path in sorted(set(written))
        if path.is_file()
    }


def read_record(path: Path) -> dict[str, Any]:
    """The record at ``path``; ``InputError`` if it cannot be read, was altered or is none."""
    record = load_object(path)
    for key in _OBJECTS:
        if not isinstance(record.get(key, {}), dict):
            raise InputError(
                f"{path}: {key}: expected a JSON object, found {shown(record[key])}; delete it "
                "and run the same command again"
            )
    if CHECKSUM in record and record[CHECKSUM] != (found := record_checksum(record)):
        raise InputError(
            f"{path}: altered or damaged since it was made: its {CHECKSUM} says "
            f"{shown(record[CHECKSUM])}, found {found}; delete it and run the same command again"
        )
    return record


def record_checksum(record: Mapping[str, Any]) -> str:
    """SHA-256 of what a record says, as it is read from JSON, apart from this checksum."""
    said = {key: value for key, value in record.items() if key != CHECKSUM}
    return f"sha256:{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()}"


def recorded_outputs(record: Path) -> dict[str, str]:
    """What ``record`` says of its outputs, as ``describe_outputs`` gave it.

    Raises ``InputError`` if it cannot be read. Nothing is known of the outputs of a record that
    was written before they were recorded.
    """
    return dict(read_record(record).get("outputs", {}))


def check_output(path: Path, expected: object, record: Path) -> None:
    """``InputError`` if ``path`` is not the file whose SHA-256 ``record`` tells."""
    try:
        found = str(file_checksum(path, "sha256"))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error}), though {record} tells of it; make it again"
        ) from error
    if found != expected:
        raise altered(path, expected, found, record, "train or save it again")


def altered(path: Path, expected: object, found: str, record: Path, remedy: str) -> InputError:
    """What to raise where ``path`` is not what its ``record`` says."""
    return InputError(
        f"{path}: altered or damaged since it was made: {record} says {shown(expected)}, found "
        f"{found}; {remedy}"
    )
