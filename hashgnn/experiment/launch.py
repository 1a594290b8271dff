"""What is put in order before the first job runs: the package's path, the times of results."""

import hashlib
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PACKAGE = "hashgnn"


def package_folder(root: Path, folder: Path) -> Path:
    """Return the path of a folder that holds a link to the package and nothing else.

    With ``root`` itself on Python's path, a user's ``random.py`` beside the package would replace
    Python's module.

    Args:
        root: The folder of the project.
        folder: Where to make it; relative, so that no colon of an absolute path, which would
            separate paths, gets into PYTHONPATH.
    """
    name = hashlib.sha256(str(root).encode()).hexdigest()[:16]
    path = folder / f"{PACKAGE}-{name}"
    path.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # made by an earlier run or by one that starts meanwhile
        (path / PACKAGE).symlink_to(root.resolve() / PACKAGE)
    return path


def end_future(files: Iterable[str]) -> None:
    """Set the modification time of each file that lies in the future to the current time.

    A clock that was set back leaves such files. Snakemake would discard what is made of them,
    since it would seem to be older.
    """
    for path in map(Path, files):
        if path.exists() and path.stat().st_mtime > time.time():
            os.utime(path)
