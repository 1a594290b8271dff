"""Tell how far a running stage is, in a small file beside its record."""

import json
import os
import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

_INTERVAL = 1.0  # seconds between two writes
_WINDOW = 10.0  # seconds over which speed is measured, at least
_SILENCE = 600.0  # seconds after which a stage on another machine counts as ended
_writers: list["_Writer"] = []


class Progress(NamedTuple):
    """How far a stage is: ``done`` of ``total`` units, in ``seconds`` since it began.

    It had done ``earlier_done`` units after ``earlier_seconds``, a moment in the second half of the
    time since it first told: the first units take longer, as kernels are compiled or read.
    """

    done: float
    total: float
    unit: str
    seconds: float
    earlier_done: float
    earlier_seconds: float
    updated: float
    process: int
    machine: str

    @property
    def speed(self) -> float:
        """Return the units per second since the earlier moment; 0 if it told once only."""
        units, seconds = self.done - self.earlier_done, self.seconds - self.earlier_seconds
        return max(0.0, units) / max(1e-9, seconds)

    def is_running(self) -> bool:
        """Return whether the process still exists, or has written lately if on another machine."""
        if self.machine != socket.gethostname():
            return time.time() - self.updated < _SILENCE
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # of another user
            return True
        return True


def progress_path(record: Path) -> Path:
    """Return the path of the progress of the stage that writes ``record``."""
    return record.with_name(record.name.removesuffix(".provenance.json") + ".progress.json")


@contextmanager
def progress_file(record: Path | None) -> Iterator[None]:
    """Write what ``report`` is told during the block beside ``record``; remove it at the end."""
    if record is None:
        yield
        return
    writer = _Writer(progress_path(record))
    _writers.append(writer)
    try:
        yield
    finally:
        _writers.remove(writer)
        with suppress(OSError):
            writer.path.unlink(missing_ok=True)


def report(done: float, total: float, unit: str) -> None:
    """Tell that ``done`` of ``total`` units are done; has no effect outside of a stage."""
    for writer in _writers:
        writer.write(done, total, unit)


def read_progress(record: Path) -> Progress | None:
    """Return the progress of the stage that writes ``record``; None if it has told nothing."""
    try:
        return Progress(**json.loads(progress_path(record).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


class _Writer:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._began = time.monotonic()
        self._next = self._began
        self._ready = 0.0
        self._told: deque[tuple[float, float]] = deque()  # units, seconds

    def write(self, done: float, total: float, unit: str) -> None:
        """Replace the file if it is due; a full disk stops no stage."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _INTERVAL
        seconds = round(now - self._began, 1)
        earlier_done, earlier_seconds = self._earlier(done, seconds)
        made = Progress(
            done=done,
            total=total,
            unit=unit,
            seconds=seconds,
            earlier_done=earlier_done,
            earlier_seconds=earlier_seconds,
            updated=time.time(),
            process=os.getpid(),
            machine=socket.gethostname(),
        )
        _replace(self.path, made._asdict())

    def _earlier(self, done: float, seconds: float) -> tuple[float, float]:
        """Return the moment from which on the speed is measured."""
        if self._told and done < self._told[-1][0]:  # begins again, as a refit does
            self._told.clear()
        if not self._told:
            self._ready = seconds
        begin = seconds - max(_WINDOW, (seconds - self._ready) / 2)
        self._told.append((done, seconds))
        while len(self._told) > 2 and self._told[0][1] < begin:
            self._told.popleft()
        return self._told[0]


def _replace(path: Path, content: dict[str, Any]) -> None:
    """Replace a file, without noting it among the outputs of the stage as ``atomic_write`` does."""
    temporary = path.with_name(f"{path.name}.tmp")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(content), encoding="utf-8")
        temporary.replace(path)
