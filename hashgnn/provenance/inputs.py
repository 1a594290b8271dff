"""The files that a stage reads, held to what the stages that made them recorded."""

from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

from hashgnn.data.checksum import file_checksum
from hashgnn.errors import InputError
from hashgnn.provenance.outputs import SUFFIX, altered, recorded_outputs


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
