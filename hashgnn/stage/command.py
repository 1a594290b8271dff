"""The command line that every stage of the workflow shares, its exit status and its progress."""

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from hashgnn.errors import InputError
from hashgnn.files import written_files
from hashgnn.stage.code_digest import check_planned
from hashgnn.stage.record import Recorder, memory_mb

Facts = Mapping[str, object]


def stage_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options of every stage; the stage adds its inputs and outputs."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--settings",
        type=_json_object,
        default={},
        metavar="JSON",
        help="the part of the config that this stage uses",
    )
    parser.add_argument(
        "--provenance", type=Path, metavar="FILE", help="where to write the record of this run"
    )
    parser.add_argument(
        "--code",
        metavar="PLANNED",
        help="digest of the planned code and its entries; the stage stops if the digest of the "
        "current code differs",
    )
    parser.add_argument(
        "--needs-mb",
        type=int,
        default=0,
        metavar="MB",
        help="expected memory of the stage; it stops if the machine has less",
    )
    return parser


def run_stage(
    parser: argparse.ArgumentParser,
    stage: Callable[[argparse.Namespace], Facts],
    argv: Sequence[str] | None = None,
    again: str = "run the same command again",
) -> int:
    """Run ``stage`` and return its exit status.

    Args:
        parser: The parser of ``stage_parser``, with the options of the stage.
        stage: Takes the parsed options; returns facts (checksums, device, ...) for the record.
        argv: The command line; that of the process by default.
        again: Advice after an interruption, for the message.

    Returns:
        0 on success; 2 after bad input, if an input differs from its record, or if the code
        differs from the plan; 1 if a file cannot be read or written; 130 after Ctrl-C; 143 after
        SIGTERM. Errors are printed to standard error.
    """
    args = parser.parse_args(argv)
    try:
        if args.code:
            check_planned(args.code)
        _check_memory(args.needs_mb)
        if "hashgnn.kernels" in sys.modules:  # the stages that use no kernels do not import numba
            sys.modules["hashgnn.kernels"].announce_compilation()
        recorder = Recorder(args.settings, _paths(args), args.provenance)
        with interruptible(), progress_file(args.provenance), written_files() as written:
            facts = stage(args)
        if args.provenance:
            recorder.write(args.provenance, facts, written)
    except InputError as error:
        return _fail(str(error), 2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or error
        return _fail(f"{where}{reason}; free disk space or repair the file system, then rerun", 1)
    except KeyboardInterrupt as error:
        return _fail(f"interrupted: {again}", exit_status(error))
    return 0


class Terminated(KeyboardInterrupt):
    """Raised on SIGTERM, by which Snakemake and Slurm end a job."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` on Ctrl-C and SIGTERM, so that unfinished files are removed."""
    main = threading.current_thread() is threading.main_thread()  # which alone handles signals
    before = signal.signal(signal.SIGTERM, _raise) if main else None
    try:
        yield
    except SystemError as error:
        raise _behind(error) from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def exit_status(error: KeyboardInterrupt) -> int:
    """Return 130 for Ctrl-C and 143 for SIGTERM: 128 plus the number of the signal."""
    return 128 + (signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT)


def _raise(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _behind(error: SystemError) -> BaseException:
    """Return the ``KeyboardInterrupt`` that caused ``error`` in a kernel, else ``error``."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, KeyboardInterrupt):
        found = found.__cause__ or found.__context__
    return error if found is None else found


def _check_memory(needed: int) -> None:
    if needed > (whole := memory_mb()):
        raise InputError(
            f"about {needed:,} MB of memory are needed, but the machine has {whole:,} MB; use a "
            "larger machine or smaller settings (batch_size, embedding_width, a filter of the data "
            "set)"
        )


def _fail(message: str, status: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return status


def _paths(args: argparse.Namespace) -> list[Path]:
    """Return all files that the command names."""
    paths: list[Path] = []
    for value in vars(args).values():
        paths += value if isinstance(value, list) else [value]
    return [path for path in paths if isinstance(path, Path)]


def _json_object(text: str) -> dict[str, object]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"expected a JSON object, got {text!r}")
    return value


# Progress: how far a running stage is, in a small file beside its record.

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
