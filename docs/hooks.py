"""MkDocs hooks: generate pages, notebooks and navigation, rewrite links, equations as MathML."""

import posixpath
import re
from collections.abc import Iterator
from html import unescape
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import nbformat
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from hashgnn.cli.main import main
from hashgnn.reporting.entries import PAGES

ROOT = Path(__file__).parents[1]
_EQUATION = re.compile(r'<(div|span) class="arithmatex">\\[\[(](.*?)\\[\])]</\1>', re.DOTALL)
_LOOK = re.compile(r' border="1" class="dataframe"|<style scoped>.*?</style>\n?', re.DOTALL)
_LINK = re.compile(r"(\]\()([^)\s#:]+)")

# Where the site shows files and folders of the repository that lie outside docs/.
SHOWN_AT = {
    "config/README.md": "configuration.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "hashgnn/cli": "command-line.md",
    "hashgnn/recommender": "python.md",
}
SHOWN_AT |= {
    f"docs/notebooks/{path.name}": f"notebooks/{path.stem}.md"
    for path in sorted(ROOT.glob("docs/notebooks/*.ipynb"))
}
SOURCES = {page: path for path, page in SHOWN_AT.items()}
PUBLIC = ("hashgnn.HashGNN", "hashgnn.InputError", "hashgnn.search.Index")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, and fill the navigation's empty parts with methods and modules."""
    pages = {page: _text(path) for path, page in SHOWN_AT.items() if path.endswith(".md")}
    notebooks = {page: path for path, page in SHOWN_AT.items() if path.endswith(".ipynb")}
    pages |= {page: _notebook(ROOT / path) for page, path in notebooks.items()}
    pages["command-line.md"] = _command_line()
    pages["python.md"] = "\n\n".join(["# Python interface", *(f"::: {name}" for name in PUBLIC)])
    api = {f"api/{name}.md": text for name, text in _api()}
    for path, text in (pages | api).items():
        files.append(File.generated(config, path, content=text))
    made = {"Methods": _methods(), "Results": _results(), "API": list(api)}
    config.nav = [{**part, **{k: made[k] for k in part if k in made}} for part in config.nav or []]
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Rewrite links to files of the repository as links to the pages that show them."""
    shown = page.file.src_uri
    folder = posixpath.dirname(SOURCES.get(shown, f"docs/{shown}"))

    def rewritten(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, found[2]))
        if not (ROOT / path).exists():
            return found[0]
        target = posixpath.relpath(_page(path), posixpath.dirname(shown) or ".")
        return found[1] + target

    return _LINK.sub(rewritten, markdown)


def _page(path: str) -> str:
    """Return the path in the site of ``path`` in the repository."""
    room = re.fullmatch(r"hashgnn/(\w+)", path)
    return SHOWN_AT.get(path, f"api/{room[1]}.md" if room else path.removeprefix("docs/"))


def _methods() -> list[str]:
    """Return the pages of docs/methods: the overview, then the others in the order it has them."""
    listed = re.findall(r"\]\((\w+\.md)\)", _text("docs/methods/README.md"))
    found = sorted(path.name for path in ROOT.glob("docs/methods/*.md"))
    names = dict.fromkeys(["README.md", *listed, *found])
    return [f"methods/{name}" for name in names if name in found]


def _results() -> list[str]:
    """Return the pages of docs/reproduction that are there: the first, its subpages, anchors."""
    names = ("README.md", *(f"{page}.md" for page in PAGES), "anchors.md")
    return [f"reproduction/{n}" for n in names if (ROOT / "docs/reproduction" / n).exists()]


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _notebook(path: Path) -> str:
    """Return a notebook as a page: its prose, its code and what the code shows."""
    parts = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for kind, outputs in groupby(cell.outputs, lambda output: output.output_type):
            if kind == "stream":
                parts.append(_shown("".join(output.text for output in outputs)))
            else:
                parts += [_result(output.data) for output in outputs]
    return "\n\n".join(parts)


def _result(data: dict[str, str]) -> str:
    """Return an output, given by its types, as an image, a table without a look, or text."""
    if "image/png" in data:
        return f'<img alt="" src="data:image/png;base64,{data["image/png"].strip()}">'
    return _LOOK.sub("", data["text/html"]) if "text/html" in data else _shown(data["text/plain"])


def _shown(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def on_page_content(html: str, **_: Any) -> str:
    """Render equations as MathML, which browsers show without a script."""
    return _EQUATION.sub(_mathml, html)


def _mathml(found: re.Match[str]) -> str:
    """Return MathML; the parts of a displayed equation, between ``\\qquad``, may take lines."""
    text = unescape(found[2]).strip()
    if found[1] == "span":
        return convert(text, display="inline")
    parts = [convert(part.strip(), display="block") for part in text.split(r"\qquad")]
    return f'<div class="equation">{"".join(parts)}</div>'


def _command_line() -> str:
    """Return a page with the help text of each command."""
    context = click.Context(main, info_name="hashgnn")
    parts = ["# Command line", _help(main, context)]
    for name, command in main.commands.items():
        parts += [f"## hashgnn {name}", _help(command, click.Context(command, context, name))]
    return "\n\n".join(parts) + "\n"


def _help(command: click.Command, context: click.Context) -> str:
    return f"```text\n{command.get_help(context)}\n```"


def _api() -> Iterator[tuple[str, str]]:
    """Yield name and text of a page per folder of the package, with all of its modules."""
    for package in sorted(ROOT.glob("hashgnn/*/__init__.py")):
        folder = package.parent
        name = f"hashgnn.{folder.name}"
        modules = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in _modules(folder)]
        yield folder.name, "\n\n".join([f"# {name}", *(f"::: {module}" for module in modules)])


def _modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")
