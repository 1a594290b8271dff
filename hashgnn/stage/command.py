"""The command line that every stage of the workflow shares."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hashgnn.errors import InputError
from hashgnn.files import written_files
from hashgnn.stage.code_digest import check_planned
from hashgnn.stage.interruption import exit_status, interruptible
from hashgnn.stage.record import Recorder, memory_mb

Facts = Mapping[str, object]


def stage_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options every stage has; the stage adds its inputs and outputs."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--settings",
        type=_json_object,
        default={},
        metavar="JSON",
        help="the part of the config that this stage uses",
    )
    parser.add_argument(
        "--provenance", type=Path, metavar="FILE", help="where to record how the result came to be"
    )
    parser.add_argument(
        "--code",
        metavar="PLANNED",
        help="digest of the code that was planned, and the modules that it begins at: refused "
        "where they have another one by now",
    )
    parser.add_argument(
        "--needs-mb",
        type=int,
        default=0,
        metavar="MB",
        help="memory that this is expected to take: refused at once where there is less in all",
    )
    return parser


def run_stage(
    parser: argparse.ArgumentParser,
    stage: Callable[[argparse.Namespace], Facts],
    argv: Sequence[str] | None = None,
    again: str = "give the same command again",
) -> int:
    """Run ``stage`` and return its exit status.

    0; 2 after one line about bad input, among it a file that is no longer what the stage that
    made it recorded, and code that is not what the workflow planned; 1 after one line about a file
    that the system refuses to read or write; 130 after Ctrl-C and 143 after SIGTERM, with one line
    that says how to go on (``again``).

    ``stage`` returns facts of its own (checksums, device, ...) that join the provenance.
    """
    args = parser.parse_args(argv)
    try:
        if args.code:
            check_planned(args.code)
        _check_memory(args.needs_mb)
        recorder = Recorder(args.settings, _paths(args), args.provenance)
        with interruptible(), written_files() as written:
            facts = stage(args)
        if args.provenance:
            recorder.write(args.provenance, facts, written)
    except InputError as error:
        return _fail(str(error), 2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or error
        return _fail(f"{where}{reason}; free space or mend it, then run again", 1)
    except KeyboardInterrupt as error:
        return _fail(f"interrupted: {again}", exit_status(error))
    return 0


def _check_memory(needed: int) -> None:
    if needed > (whole := memory_mb()):
        raise InputError(
            f"this needs about {needed:,} MB of memory, and here are {whole:,}: use a machine with "
            "more, or smaller settings (batch_size, embedding_width, a filter of the data set)"
        )


def _fail(message: str, status: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return status


def _paths(args: argparse.Namespace) -> list[Path]:
    """All files that the command names."""
    paths: list[Path] = []
    for value in vars(args).values():
        paths += value if isinstance(value, list) else [value]
    return [path for path in paths if isinstance(path, Path)]


def _json_object(text: str) -> dict[str, object]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"expected a JSON object, got {text!r}")
    return value
