"""Code blocks and commands of the project's Markdown pages."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`((?:snakemake|make) [^`\n]+)`(?!`)")


class Block(NamedTuple):
    """A fenced block: its language and what stands in it."""

    language: str
    code: str

    @property
    def name(self) -> str:
        """Of the file that a block says it is, as ``# shop.yaml`` in its first line; or none."""
        said = re.match(r"# ([\w-]+\.yaml)\n", self.code)
        return said[1] if said else ""


def pages() -> list[str]:
    """The pages that have fenced blocks or commands."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("config/*.md"), *ROOT.glob("docs/**/*.md")]
    names = sorted(str(path.relative_to(ROOT)) for path in found)
    return [name for name in names if fenced(name) or inline(name)]


def fenced(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(language, code) for _, language, code in _FENCE.findall(_text(page))]


def blocks(page: str, language: str) -> list[str]:
    """Those of one language."""
    return [block.code for block in fenced(page) if block.language == language]


def inline(page: str) -> list[str]:
    """The commands in a page's running text and tables that Snakemake or make would run."""
    return _INLINE.findall(_FENCE.sub("", _text(page)))


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")
