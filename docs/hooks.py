"""What MkDocs does beyond copying pages: pages made from the code, and equations as MathML."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import click
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from hashgnn.cli.main import main

ROOT = Path(__file__).parents[1]
_EQUATION = re.compile(r'<(div|span) class="arithmatex">\\[\[(](.*?)\\[\])]</\1>', re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code."""
    configuration = (ROOT / "config/README.md").read_text(encoding="utf-8")
    pages = {"configuration.md": configuration, "command-line.md": _command_line()}
    pages |= {f"api/{name}.md": text for name, text in _api()}
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_content(html: str, **_: Any) -> str:
    """Equations as MathML, which browsers show without a script."""
    return _EQUATION.sub(_mathml, html)


def _mathml(found: re.Match[str]) -> str:
    display = "block" if found[1] == "div" else "inline"
    return convert(unescape(found[2]).strip(), display=display)


def _command_line() -> str:
    """The help text of each command."""
    context = click.Context(main, info_name="hashgnn")
    parts = ["# Command line", _help(main, context)]
    for name, command in main.commands.items():
        parts += [f"## hashgnn {name}", _help(command, click.Context(command, context, name))]
    return "\n\n".join(parts) + "\n"


def _help(command: click.Command, context: click.Context) -> str:
    return f"```text\n{command.get_help(context)}\n```"


def _api() -> Iterator[tuple[str, str]]:
    """A page for each folder of the package, with all of its modules."""
    for package in sorted(ROOT.glob("hashgnn/*/__init__.py")):
        folder = package.parent
        name = f"hashgnn.{folder.name}"
        modules = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in _modules(folder)]
        yield folder.name, "\n\n".join([f"# {name}", *(f"::: {module}" for module in modules)])


def _modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")
