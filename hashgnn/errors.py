"""The error for bad input, and helpers for its messages."""

import difflib
from collections.abc import Iterable

_MAX_LENGTH = 100  # characters of a value in a message


class InputError(Exception):
    """Raised for bad input, with a one-line message that names the file, key or line at fault.

    The message also says what was expected and what to do. A stage that raises it prints the
    message, writes nothing and exits with status 2.
    """


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
