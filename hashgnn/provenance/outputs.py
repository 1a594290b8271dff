"""What records say of the files that stages made, a checksum of each, and of themselves."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hashgnn.data.checksum import file_checksum
from hashgnn.errors import InputError
from hashgnn.files import load_object

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


def shown(value: Any) -> str:
    """A value of a record, for an error: one line however large it is."""
    return f"{value!r:.80}" if isinstance(value, str | int | float) else type(value).__name__


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
