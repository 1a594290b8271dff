"""Errors that a user can cause and mend."""


class InputError(Exception):
    """Bad input: the message names the file, key or line, what was expected and what to do.

    A stage that raises it ends with that one line and exit status 2, and writes nothing.
    """
