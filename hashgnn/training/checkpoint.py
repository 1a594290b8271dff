"""Interrupted trainings go on where they were, and end as uninterrupted ones would."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from hashgnn.files import atomic_write

State = dict[str, Any]

PATIENCE = 20  # times as long as writing takes, between two times: at most a twentieth of a run


class Checkpoint:
    """The state of a training on disk, for the same training only.

    ``fingerprint`` stands for all that the outcome depends on: settings, code and inputs. A file
    with another one is of another training and is not used. States hold tensors, numbers, texts,
    lists and dicts, and are read without unpickling anything else.
    """

    def __init__(self, path: Path, fingerprint: str, every_seconds: float = 60.0) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self.every_seconds = every_seconds
        self._saved = time.monotonic()
        self._cost = 0.0

    def load(self) -> State | None:
        """The state to go on from; None if there is none, or none of this training."""
        try:
            stored = torch.load(self.path, weights_only=True)
        except Exception:  # not there, damaged or of another version: start anew
            return None
        fits = isinstance(stored, dict) and stored.get("fingerprint") == self.fingerprint
        return stored["state"] if fits else None

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


def _save(stored: State, path: Path) -> None:
    try:
        torch.save(stored, path)
    except RuntimeError as error:  # torch's own, of a disk that takes no more
        reason = str(error).splitlines()[0]
        raise OSError(f"the state of the training cannot be written ({reason})") from error
