"""Local files that jobs depend on: sources of downloads, the package, earlier results."""

import functools
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hashgnn.config.methods import Config
from hashgnn.data.download import local_path
from hashgnn.files import file_checksum

_CONTENT = "content"
_PACKAGE = "hashgnn"


def download_settings(config: Config, dataset: str, file: str, base: Path) -> dict[str, Any]:
    """Return the settings of the download of a raw file.

    They hold no other part of the config, so that edits of a filter do not download it again. Local
    files, the user's own or of a mirror, are identified by their content, as modification times may
    come from a wrong clock. Paths are relative to the folder ``base``.
    """
    entry = raw_sources(config["datasets"][dataset])[file]
    copy = Path("results", dataset, "download", file)
    named = {"dataset": dataset, "name": dataset, "file": file}
    return {**named, **entry, **_content(config, entry, f"{dataset}/{file}", base, copy)}


def raw_sources(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sources of the raw files of a data set by name: interactions, then features."""
    tables = (dataset.get("features") or {}).values()
    described = {
        table["file"]: {key: value for key, value in table.items() if key not in ("file", "id")}
        for table in tables
        if table
    }
    return {**(dataset.get("files") or {}), **described}


def check_places(config: Config) -> None:
    """Raise ``InputError`` for an address or a mirror that is neither a web address nor a path."""
    places = [config["mirror"]] if config.get("mirror") else []
    for entry in config["datasets"].values():
        files = raw_sources(entry).values()
        places += [source["address"] for source in files if "address" in source]
    for place in places:
        local_path(place, Path())


def _content(
    config: Config, entry: dict[str, Any], name: str, base: Path, copy: Path
) -> dict[str, Any]:
    """Return an identifier of the content of a source without a checksum in its entry."""
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

    None for a missing file: it differs from the setting of every earlier download, so the job runs
    and reports the error. If source and copy are equal, the setting of the copy is kept.
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

    If ``root`` itself were on Python's path, a ``random.py`` of the user in it would replace
    Python's module.

    Args:
        root: The folder of the project.
        folder: Where to create it; a relative path, as a colon in an absolute one would split
            PYTHONPATH.
    """
    name = hashlib.sha256(str(root).encode()).hexdigest()[:16]
    path = folder / f"{_PACKAGE}-{name}"
    path.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # created by an earlier or concurrent run
        (path / _PACKAGE).symlink_to(root.resolve() / _PACKAGE)
    return path


def end_future(files: Iterable[str]) -> None:
    """Set the modification time of each file that lies in the future to the current time.

    Such files exist after a clock was set back. Snakemake would discard results made from them,
    which would seem to be older.
    """
    for path in map(Path, files):
        if path.exists() and path.stat().st_mtime > time.time():
            os.utime(path)
