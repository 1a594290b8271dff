"""The error for bad input, and helpers for its messages."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_MAX_LENGTH = 100  # characters of a value in a message


class InputError(Exception):
    """Raised for bad input, with a one-line message that names the file, key or line at fault.

    The message also says what was expected and what to do. A stage that raises it prints the
    message, writes nothing and exits with status 2.
    """


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Raise ``InputError`` if the block imports a module that is not installed.

    ``extra``: name of the optional dependencies that bring it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise not_installed(error, extra) from error


def not_installed(error: ModuleNotFoundError, extra: str) -> InputError:
    """Return the error that names the optional dependencies ``extra``."""
    return InputError(f"{error.name} is not installed: pip install 'hashgnn[{extra}]'")


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return "; did you mean X?" with the closest of ``known``; empty if none is close."""
    nearest = difflib.get_close_matches(str(name), known, 1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def shown(value: object) -> str:
    """Return ``repr(value)`` on one line, cut to 100 characters, for use in a message."""
    try:
        text = " ".join(repr(value).split())
    except RecursionError:  # nested a thousand times
        return type(value).__name__
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"
