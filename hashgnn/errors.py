"""Errors that a user can cause and mend."""

_LONGEST = 100  # characters of a value in a message


class InputError(Exception):
    """Bad input: the message names the file, key or line, what was expected and what to do.

    A stage that raises it ends with that one line and exit status 2, and writes nothing.
    """


def shown(value: object) -> str:
    """``value`` as a message shows it: in one line, cut where it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
