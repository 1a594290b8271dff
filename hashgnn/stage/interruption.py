"""Ctrl-C and SIGTERM: an exception that cleans up, and the exit status that shells expect."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM, by which Snakemake and Slurm end a job, as Ctrl-C does it for a person."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block Ctrl-C and SIGTERM raise ``KeyboardInterrupt``, the latter ``Terminated``.

    So that what is half made is removed.
    """
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
    """130 for Ctrl-C and 143 for SIGTERM: 128 and the number of the signal."""
    return 128 + (signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT)


def _raise(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _behind(error: SystemError) -> BaseException:
    """The ``KeyboardInterrupt`` that a compiled kernel made a ``SystemError`` of, or ``error``."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, KeyboardInterrupt):
        found = found.__cause__ or found.__context__
    return error if found is None else found
