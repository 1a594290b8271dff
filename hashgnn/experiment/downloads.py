"""Settings of a download, and the content of the local file that it copies, if any."""

import functools
import json
from pathlib import Path
from typing import Any

from hashgnn.checksums import file_checksum
from hashgnn.config.methods import Config
from hashgnn.data.fetch import local_path

_CONTENT = "content"


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
