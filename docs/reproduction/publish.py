"""Copy the pages that the workflow wrote here, and put the headline into the first pages.

    python docs/reproduction/publish.py FOLDER

``FOLDER`` is ``pages/pages`` of ``make pages``. README.md and docs/README.md get picture and table
between two marks, with paths from their own folders.
"""

import re
import shutil
import sys
from pathlib import Path

from hashgnn.files import atomic_write
from hashgnn.reporting.entries import TITLES

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FIRST_PAGES = {ROOT / "README.md": "docs/reproduction/", HERE.parent / "README.md": "reproduction/"}
BEGIN, END = "<!-- results: make pages -->\n", "<!-- end of results -->"
COPIED = (".md", ".csv", ".svg", ".tex")
REPLACED = (*COPIED, ".pdf")
_LINK = re.compile(r"(\]\()([\w.-]+\))")


def main(folder: Path) -> None:
    """Copy the pages, remove figures and tables that they do not show, fill the first pages."""
    made = {path.name for path in folder.iterdir()}
    for name in TITLES.keys() | {"claims", "checks"}:
        for suffix in REPLACED:
            if f"{name}{suffix}" not in made:
                (HERE / f"{name}{suffix}").unlink(missing_ok=True)
    for path in sorted(folder.iterdir()):
        if path.suffix in COPIED and path.name != "headline.md":
            shutil.copyfile(path, HERE / path.name)
    headline = (folder / "headline.md").read_text(encoding="utf-8")
    for page, prefix in FIRST_PAGES.items():
        text = filled(page.read_text(encoding="utf-8"), headline, prefix)
        with atomic_write(page) as temporary:
            temporary.write_text(text, encoding="utf-8")


def filled(page: str, headline: str, prefix: str) -> str:
    """Return the text of ``page`` with the headline, whose links begin with ``prefix``."""
    before, rest = page.split(BEGIN)
    text = _LINK.sub(rf"\g<1>{prefix}\g<2>", headline).strip()
    return f"{before}{BEGIN}\n{text}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
