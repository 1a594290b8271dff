"""Write measured tables into pages of the documentation."""

from pathlib import Path

from hashgnn.files import atomic_write


def fill(page: Path, begin: str, text: str, end: str) -> None:
    """Replace what is between the marks ``begin`` and ``end`` of ``page`` by ``text``."""
    before, rest = page.read_text(encoding="utf-8").split(begin)
    with atomic_write(page) as temporary:
        temporary.write_text(before + begin + text + end + rest.split(end)[1], encoding="utf-8")


def show(page: Path | None, begin: str, text: str, end: str) -> None:
    """Print ``text``, or ``fill`` the page with it if one is given."""
    if page is None:
        print(text)
    else:
        fill(page, begin, text, end)
