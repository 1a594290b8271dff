"""What a check says."""

from typing import NamedTuple


class Check(NamedTuple):
    """``rule`` about ``subject``, whether it is kept, and what was seen where it is not."""

    subject: str
    rule: str
    kept: bool
    detail: str = ""
