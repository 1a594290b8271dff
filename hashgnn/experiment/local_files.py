"""Local files that jobs depend on: sources of downloads, the package, earlier results."""

import functools
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hashgnn.config.methods import Config
from hashgnn.data.download import local_path, not_there
from hashgnn.errors import InputError
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


def check_local(config: Config, base: Path) -> list[str]:
    """Return a line for each local file of the planned data sets that is missing, or the mirror.

    A missing file is no error: what is asked for may not need it, or a rule of a workflow that uses
    this one as a module may write it. Raises ``InputError`` if a file that is there lacks columns.
    Only headers are read. Files of the web, and those that a mirror of the web may hold, are not
    looked at, nor is one that was moved away after it had been copied.
    """
    grids = [grid for grid in config["grids"].values() if grid]
    planned = dict.fromkeys(name for grid in grids for name in grid.get("datasets", ()))
    missing, mistakes = _check_mirror(config, base), []
    for dataset in planned:
        for file in raw_sources(config["datasets"][dataset]):
            try:
                if absent := _check_local(config, dataset, file, base):
                    missing.append(absent)
            except InputError as error:
                mistakes.append(str(error))
    if mistakes:
        raise InputError("\n".join(mistakes))
    return missing


def _check_mirror(config: Config, base: Path) -> list[str]:
    """Return a message, in a list, if the mirror is a folder that is not there."""
    folder = local_path(config["mirror"], base) if config.get("mirror") else None
    if folder is None or folder.is_dir():
        return []
    return [f"mirror: {folder}: no such folder; files will be taken from their addresses"]


def _check_local(config: Config, dataset: str, file: str, base: Path) -> str | None:
    """Return a message if the file is missing; raise ``InputError`` if it is unfit."""
    entry = config["datasets"][dataset]
    address, mirror = raw_sources(entry)[file].get("address"), config.get("mirror")
    source = local_path(address, base) if address else None
    folder = local_path(mirror, base) if mirror else None
    if address is None or source is None or (mirror and folder is None):
        return None
    if folder and (copy := folder / dataset / file).is_file():
        source = copy
    if not source.exists():
        if _recorded(Path("results", dataset, "download", file))[1].get("address") == address:
            return None
        return str(not_there(f"{dataset}: {file}", address, base))
    if not source.is_file():
        raise InputError(f"{dataset}: {file}: {source} is no regular file; name a file")
    try:
        _check_columns(entry, file, source)
    except InputError as error:
        raise InputError(f"{dataset}: {file}: {error}") from error
    return None


def _check_columns(entry: Mapping[str, Any], file: str, source: Path) -> None:
    """Compare the header of ``source``, read by the name ``file``, with what ``entry`` names."""
    from hashgnn.data import features, readers  # pyarrow, for users' own tables only

    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, file)
        link.symlink_to(source.resolve())
        try:
            for kind, table in (entry.get("features") or {}).items():
                if table and table["file"] == file:
                    features.check_columns(link, kind, table["id"])
            if file in (entry.get("files") or {}) and entry["reader"] == "table":
                readers.check_columns([link], entry)
        except InputError as error:
            raise InputError(str(error).replace(str(link), str(source))) from error


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
    return {} if settled else _kept(_recorded(copy)[1])


def _state(source: Path, copy: Path) -> dict[str, Any]:
    """Return the content of a local source.

    None for a missing file: it differs from the setting of every earlier download, so the job runs
    and reports the error. If source and copy are equal, the setting of the copy is kept.
    """
    digest = _digest(source)
    made, settings = _recorded(copy)
    return _kept(settings) if digest and digest == made else {_CONTENT: digest}


def _kept(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: settings[key] for key in (_CONTENT,) if key in settings}


def _recorded(copy: Path) -> tuple[str | None, dict[str, Any]]:
    """Return the checksum of an earlier copy and the settings it was made with."""
    try:
        record = json.loads(Path(f"{copy}.provenance.json").read_text(encoding="utf-8"))
        return record["outputs"][copy.name], dict(record["settings"])
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
