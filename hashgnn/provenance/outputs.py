"""What records say of the files that stages made: a checksum of each."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from hashgnn.data.checksum import file_checksum
from hashgnn.errors import InputError

SUFFIX = ".provenance.json"


def describe_outputs(record: Path, written: Iterable[Path]) -> dict[str, str]:
    """SHA-256 by path, relative to the folder of ``record``, of the files that are still there."""
    return {
        os.path.relpath(path, record.parent): str(file_checksum(path, "sha256"))
        for path in sorted(set(written))
        if path.is_file()
    }


def recorded_outputs(record: Path) -> dict[str, str]:
    """What ``record`` says of its outputs, as ``describe_outputs`` gave it.

    Raises ``InputError`` if it cannot be read. Nothing is known of the outputs of a record that
    was written before they were recorded.
    """
    try:
        return dict(json.loads(record.read_text(encoding="utf-8")).get("outputs", {}))
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(
            f"{record}: cannot be read ({error}); delete it and run the same command again"
        ) from error
