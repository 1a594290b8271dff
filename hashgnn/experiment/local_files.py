"""Files of this machine that jobs depend on: sources of downloads, the package, earlier results."""

import functools
import hashlib
import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hashgnn.checksums import file_checksum
from hashgnn.config.methods import Config
from hashgnn.data.fetch import local_path

_CONTENT = "content"
_PACKAGE = "hashgnn"


def download_settings(config: Config, dataset: str, file: str, base: Path) -> dict[str, Any]:
    """Return the config entry of a raw file only: another filter must not download it again.

    A local file, the user's own or one of a mirror, counts by its content, since its modification
    time may come from a wrong clock. Relative paths begin at the folder ``base``.
    """
    entry = config["datasets"][dataset]["files"][file]
    copy = Path("results", dataset, "download", file)
    named = {"dataset": dataset, "name": dataset, "file": file}
    return {**named, **entry, **_content(config, entry, f"{dataset}/{file}", base, copy)}


def check_places(config: Config) -> None:
    """Raise ``InputError`` for an address or a mirror that is neither a web address nor a path."""
    places = [config["mirror"]] if config.get("mirror") else []
    for entry in config["datasets"].values():
        files = entry.get("files", {}).values()
        places += [source["address"] for source in files if "address" in source]
    for place in places:
        local_path(place, Path())


def _content(
    config: Config, entry: dict[str, Any], name: str, base: Path, copy: Path
) -> dict[str, Any]:
    """Return what identifies the content of the source, unless the entry's checksum does."""
    settled = "checksum" in entry and config.get("mirror_checksums") != "trust"
    mirror = local_path(config["mirror"], base) if config.get("mirror") else None
    own = local_path(entry["address"], base) if "address" in entry else None
    if mirror and not settled and (mirror / name).is_file():
        return _state(mirror / name, copy)
    if own:
        return _state(own, copy)
    return {} if settled else _recorded(copy)[1]


def _state(source: Path, copy: Path) -> dict[str, Any]:
    """Return the content of a local source.

    It is None for a missing file: no earlier download has that setting, so the job runs and reports
    it. A source with the bytes of the copy keeps the copy's setting, wherever the copy came from.
    """
    digest = _digest(source)
    made, settings = _recorded(copy)
    return settings if digest and digest == made else {_CONTENT: digest}


def _recorded(copy: Path) -> tuple[str | None, dict[str, Any]]:
    """Return the checksum of an earlier copy and the content setting it was made with."""
    try:
        record = json.loads(Path(f"{copy}.provenance.json").read_text(encoding="utf-8"))
        made, settings = record["outputs"][copy.name], record["settings"]
        return made, {key: settings[key] for key in (_CONTENT,) if key in settings}
    except (OSError, ValueError, LookupError, TypeError):
        return None, {}


def _digest(path: Path) -> str | None:
    """Return the checksum of a file; None if it is missing or unreadable."""
    try:
        status = path.stat()
        return _digest_as_of(path, status.st_mtime_ns, status.st_size) if path.is_file() else None
    except OSError:
        return None


@functools.cache
def _digest_as_of(path: Path, mtime: int, size: int) -> str:
    return str(file_checksum(path, "sha256"))


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
    path = folder / f"{_PACKAGE}-{name}"
    path.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # made by an earlier run or by one that starts meanwhile
        (path / _PACKAGE).symlink_to(root.resolve() / _PACKAGE)
    return path


def end_future(files: Iterable[str]) -> None:
    """Set the modification time of each file that lies in the future to the current time.

    A clock that was set back leaves such files. Snakemake would discard what is made of them,
    since it would seem to be older.
    """
    for path in map(Path, files):
        if path.exists() and path.stat().st_mtime > time.time():
            os.utime(path)
