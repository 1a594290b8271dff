"""Interrupted trainings go on where they were, and end as uninterrupted ones would."""

import errno
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch

from hashgnn.files import atomic_write

State = dict[str, Any]

# What zipfile and torch raise for content that is not what was written.
_DAMAGE = (
    *(BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError),
    *(ValueError, LookupError),
)

PATIENCE = 20  # times as long as writing takes, between two times: at most a twentieth of a run


class Checkpoint:
    """The state of a training on disk, for the same training only.

    ``fingerprint`` stands for all that the outcome depends on: settings, code, kind of device and
    inputs. A file with another one is of another training and is not used, nor is a damaged one:
    a line to stderr says so. States hold tensors, numbers, texts, lists and dicts, and are read
    without unpickling anything else.
    """

    def __init__(self, path: Path, fingerprint: str, every_seconds: float = 60.0) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self.every_seconds = every_seconds
        self._saved = time.monotonic()
        self._cost = 0.0

    def load(self) -> State | None:
        """The state to go on from; None if there is none, or none of this training.

        ``OSError`` where there is one that the system does not let be read.
        """
        if not self.path.is_file():
            return None
        stored = _read(self.path)
        if stored.get("fingerprint") == self.fingerprint:
            return stored["state"]
        found = "of other settings, code, device or data" if stored else "damaged"
        print(f"{self.path}: {found}; the training begins anew", file=sys.stderr, flush=True)
        return None

    def save_if_due(self, state: Callable[[], State]) -> None:
        """Write what ``state`` returns, atomically, unless that was done a short while ago."""
        began = time.monotonic()
        if began - self._saved < max(self.every_seconds, PATIENCE * self._cost):
            return
        stored = {"fingerprint": self.fingerprint, "state": state()}
        with atomic_write(self.path) as temporary:
            _save(stored, temporary)
        self._saved = time.monotonic()
        self._cost = self._saved - began

    def remove(self) -> None:
        """The training is done."""
        self.path.unlink(missing_ok=True)


def _read(path: Path) -> State:
    """What the file holds; nothing if it is damaged.

    torch reads altered numbers without complaint, so the archive's own checksums come first.
    """
    try:
        with ZipFile(path) as archive:
            if archive.testzip() is not None:
                return {}
        stored = torch.load(path, weights_only=True, map_location="cpu")
    except _DAMAGE:
        return {}
    except Exception as error:
        if not _tells_damage(error):
            raise
        return {}
    return stored if isinstance(stored, dict) else {}


def _tells_damage(error: Exception) -> bool:
    """Whether an error of a general kind is about the content: not of memory, device or disk."""
    if isinstance(error, OSError):
        return error.errno == errno.EINVAL  # a seek to where no file goes
    if isinstance(error, RuntimeError):
        return "PytorchStreamReader" in str(error) or "encrypted" in str(error)
    return type(error).__name__ == "UnpicklingError"  # whose module has no place here


def _save(stored: State, path: Path) -> None:
    try:
        torch.save(stored, path)
    except RuntimeError as error:  # torch's own, of a disk that takes no more
        reason = str(error).splitlines()[0]
        raise OSError(f"the state of the training cannot be written ({reason})") from error
