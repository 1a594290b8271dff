"""Folders whose files are replaced together or not at all.

New files are written into a folder of their own inside the one that they will fill. Renaming that
one to ``.committed`` is the commit, a single step: until then the old files hold, from then on the
new ones. They are then moved into place by renames, so whoever has an old file mapped into memory
keeps it. Where a kill cut that short, whoever comes next, to read or to write, finishes it.
"""

import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from hashgnn.errors import InputError
from hashgnn.files import flush
from hashgnn.locks import lock_alone, lock_folder, lock_own

_STAGED, _COMMITTED = ".staged-", ".committed"


@contextmanager
def replace_together(folder: Path, names: Collection[str]) -> Iterator[Path]:
    """Yield an empty folder whose files replace those of ``folder`` if the block succeeds.

    ``names``: those that it may hold; the ones that the block does not write are removed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{folder}: {error.strerror}; choose a folder") from error
    handle, staged = _new_folder(folder)
    try:
        yield staged
        with lock_folder(folder, alone=True):
            _finish(folder)
            made = _files(staged)
            _refuse_folders(folder, made)
            staged.rename(folder / _COMMITTED)
            flush(folder)
            _finish(folder)
            for name in set(map(Path, names)) - set(made):
                (folder / name).unlink(missing_ok=True)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        os.close(handle)


@contextmanager
def read_together(folder: Path) -> Iterator[None]:
    """Keep the files of ``folder`` from being replaced before the block ends."""
    with lock_folder(folder, alone=False):
        if not (folder / _COMMITTED).exists():
            yield
            return
    with lock_folder(folder, alone=True):
        _finish(folder)
        yield


def _new_folder(folder: Path) -> tuple[int, Path]:
    """Make a folder for new files, locked for as long as its writer lives."""
    for left in folder.glob(f"{_STAGED}*"):
        _remove_dead(left)
    while True:
        staged = folder / f"{_STAGED}{secrets.token_hex(8)}"
        staged.mkdir()
        try:
            handle = os.open(staged, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # taken for dead
            continue
        if lock_own(handle, staged):
            return handle, staged
        os.close(handle)


def _remove_dead(staged: Path) -> None:
    try:
        handle = os.open(staged, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # gone meanwhile, or another user's
        return
    if lock_alone(handle):
        shutil.rmtree(staged, ignore_errors=True)
    os.close(handle)


def _finish(folder: Path) -> None:
    """Move committed files into place, if there are any."""
    committed = folder / _COMMITTED
    if not committed.exists():
        return
    for name in _files(committed):
        (folder / name).parent.mkdir(exist_ok=True)
        (committed / name).replace(folder / name)
    shutil.rmtree(committed)


def _files(folder: Path) -> list[Path]:
    """All files below ``folder``, relative to it."""
    return [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]


def _refuse_folders(folder: Path, names: Collection[Path]) -> None:
    """``InputError`` where a folder lies in the way of a file, or a file in that of a folder."""
    for path in (folder / name for name in names):
        if path.is_dir():
            raise InputError(f"{path}: a folder, where a file is to go; remove it")
        if path.parent.exists() and not path.parent.is_dir():
            raise InputError(f"{path.parent}: a file, where a folder is to go; remove it")
