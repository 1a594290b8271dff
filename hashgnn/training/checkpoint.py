"""Save the state of a training, so that an interrupted one resumes and gives the same result."""

import copy
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

# Errors of zipfile and torch for damaged content.
_DAMAGE = (
    *(BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError),
    *(ValueError, LookupError),
)

# Shortest time between two checkpoints, in times that writing one takes: writing takes at most a
# twentieth of a training.
PATIENCE = 20


class Checkpoint:
    """The state of a training on disk.

    A file of another training, or a damaged one, is not used, which a line to stderr reports.
    States hold tensors, numbers, texts, lists and dicts, and are read without unpickling anything
    else.

    Args:
        path: The file.
        fingerprint: Digest of everything that the result depends on: settings, code, kind of
            device and inputs.
        every_seconds: Shortest time between two checkpoints.

    Attributes:
        chosen: What an earlier phase of the training found, if this is of a later one; saved with
            each state.
    """

    def __init__(self, path: Path, fingerprint: str, every_seconds: float = 60.0) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self.every_seconds = every_seconds
        self.chosen: State | None = None
        self._saved = time.monotonic()
        self._cost = 0.0

    def load(self) -> State | None:
        """Return the saved state, or None if there is none of this phase of this training.

        Raises:
            OSError: If the file cannot be read.
        """
        stored = self._load()
        same = stored is not None and (stored["chosen"] is None) == (self.chosen is None)
        return stored["state"] if stored and same else None

    def load_chosen(self) -> State | None:
        """Return what the earlier phase found, if it is over and a state of the later one saved."""
        stored = self._load()
        return stored and stored["chosen"]

    def after(self, chosen: State) -> "Checkpoint":
        """Return the checkpoint of the phase after the one that found ``chosen``."""
        following = copy.copy(self)
        following.chosen = chosen
        return following

    def _load(self) -> State | None:
        if not self.path.is_file():
            return None
        stored = _read(self.path)
        if stored.get("fingerprint") == self.fingerprint:
            return stored
        found = "of other settings, code, device or data" if stored else "damaged"
        message = f"{self.path}: {found}; the training starts from the beginning"
        print(message, file=sys.stderr, flush=True)
        return None

    def save_if_due(self, state: Callable[[], State]) -> None:
        """Write what ``state`` returns, atomically, unless the last time was too recent."""
        began = time.monotonic()
        if began - self._saved < max(self.every_seconds, PATIENCE * self._cost):
            return
        stored = {"fingerprint": self.fingerprint, "chosen": self.chosen, "state": state()}
        with atomic_write(self.path) as temporary:
            _save(stored, temporary)
        self._saved = time.monotonic()
        self._cost = self._saved - began

    def remove(self) -> None:
        """Delete the file when the training is done."""
        self.path.unlink(missing_ok=True)


def _read(path: Path) -> State:
    """Return the content of the file; empty if it is damaged.

    torch does not notice altered numbers, so the archive's checksums are tested first.
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
    """Return whether an error is about the file's content, not about memory, device or disk."""
    if isinstance(error, OSError):
        return error.errno == errno.EINVAL  # a seek to an invalid offset
    if isinstance(error, RuntimeError):
        return "PytorchStreamReader" in str(error) or "encrypted" in str(error)
    return type(error).__name__ == "UnpicklingError"  # of pickle, which is not imported


def _save(stored: State, path: Path) -> None:
    try:
        torch.save(stored, path)
    except RuntimeError as error:  # torch's error for a full disk
        reason = str(error).splitlines()[0]
        raise OSError(f"cannot write the state of the training ({reason})") from error
