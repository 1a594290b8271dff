"""Errors that a user can cause and mend."""

import difflib
from collections.abc import Iterable

_LONGEST = 100  # characters of a value in a message


class InputError(Exception):
    """Bad input: the message names the file, key or line, what was expected and what to do.

    A stage that raises it ends with that one line and exit status 2, and writes nothing.
    """


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """The end of a message, with the nearest of ``known``; empty if none is near."""
    nearest = difflib.get_close_matches(str(name), known, 1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def shown(value: object) -> str:
    """``value`` as a message shows it: in one line, cut where it is long."""
    try:
        text = " ".join(repr(value).split())
    except RecursionError:  # of what is nested a thousand times
        return type(value).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
