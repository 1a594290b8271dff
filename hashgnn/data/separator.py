"""The text between two fields."""

import re

from hashgnn.errors import InputError

# As people type a character that a shell does not let them type.
_ESCAPE = re.compile(r"\\(?:t|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})")


def parse_separator(text: str) -> str:
    r"""The separator that ``text`` says, ``\t`` being a tab; ``InputError`` if it can be none."""
    separator = _ESCAPE.sub(lambda match: match[0].encode().decode("unicode_escape"), text)
    if not separator:
        raise InputError("format.separator is empty; give the text between two fields")
    if set(separator) & set('"\r\n\0') or any("\ud800" <= sign <= "\udfff" for sign in separator):
        raise InputError(
            f"format.separator is {text!r}; expected text without double quotes, line breaks and "
            "what is no character"
        )
    return separator
