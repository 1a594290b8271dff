"""Code blocks and commands of the project's Markdown pages."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`((?:snakemake|make) [^`\n]+)`(?!`)")


class Block(NamedTuple):
    """A fenced code block: its language and its code."""

    language: str
    code: str

    @property
    def name(self) -> str:
        """Return the file name in the first line (``# shop.yaml``), or an empty string."""
        said = re.match(r"# ([\w-]+\.yaml)\n", self.code)
        return said[1] if said else ""


def pages() -> list[str]:
    """Return the pages that have fenced blocks or inline commands."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("config/*.md"), *ROOT.glob("docs/**/*.md")]
    names = sorted(str(path.relative_to(ROOT)) for path in found)
    return [name for name in names if fenced(name) or inline(name)]


def fenced(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    return [Block(language, code) for _, language, code in _FENCE.findall(_text(page))]


def blocks(page: str, language: str) -> list[str]:
    """Return the code of the fenced blocks in one language."""
    return [block.code for block in fenced(page) if block.language == language]


def inline(page: str) -> list[str]:
    """Return the snakemake and make commands in a page's running text and tables."""
    return _INLINE.findall(_FENCE.sub("", _text(page)))


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")
