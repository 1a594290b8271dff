"""A folder on Python's path that has this package in it and nothing else."""

import hashlib
from contextlib import suppress
from pathlib import Path

PACKAGE = "hashgnn"


def package_folder(root: Path, folder: Path) -> Path:
    """Make a folder in ``folder`` with a link to the package of ``root``; return its path.

    With ``root`` itself on the path, a user's own ``random.py`` beside the package would be taken
    for Python's. A relative ``folder`` also keeps colons, which separate paths, out of PYTHONPATH.
    """
    name = hashlib.sha256(str(root).encode()).hexdigest()[:16]
    path = folder / f"{PACKAGE}-{name}"
    path.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # of an earlier run, or of another one that starts just now
        (path / PACKAGE).symlink_to(root.resolve() / PACKAGE)
    return path
