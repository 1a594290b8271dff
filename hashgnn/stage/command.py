"""The command line that every stage of the workflow shares, and its exit status."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from hashgnn.errors import InputError
from hashgnn.files import written_files
from hashgnn.stage.code_digest import check_planned
from hashgnn.stage.progress import progress_file
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
