"""What a download takes from the config, and the file of this machine that it copies, if any."""

import functools
import json
from pathlib import Path
from typing import Any

from hashgnn.checksums import file_checksum
from hashgnn.config.methods import Config
from hashgnn.data.fetch import local_path

_CONTENT = "content"


def download_settings(config: Config, dataset: str, file: str, base: Path) -> dict[str, Any]:
    """The entry of the file alone: another filter must not download again.

    A file of this machine, the user's own or one of a mirror, counts by its content: its time may
    be that of a clock that was wrong. ``base`` is the folder where relative paths begin.
    """
    entry = config["datasets"][dataset]["files"][file]
    copy = Path("results", dataset, "download", file)
    named = {"dataset": dataset, "name": dataset, "file": file}
    return {**named, **entry, **_content(config, entry, f"{dataset}/{file}", base, copy)}


def check_places(config: Config) -> None:
    """Raise ``InputError`` for an address, or a mirror, that is neither of the web nor a path."""
    places = [config["mirror"]] if config.get("mirror") else []
    for entry in config["datasets"].values():
        files = entry.get("files", {}).values()
        places += [source["address"] for source in files if "address" in source]
    for place in places:
        local_path(place, Path())


def _content(
    config: Config, entry: dict[str, Any], name: str, base: Path, copy: Path
) -> dict[str, Any]:
    """What stands for the content of the source, where the entry's checksum does not."""
    settled = "checksum" in entry and config.get("mirror_checksums") != "trust"
    mirror = local_path(config["mirror"], base) if config.get("mirror") else None
    own = local_path(entry["address"], base) if "address" in entry else None
    if mirror and not settled and (mirror / name).is_file():
        return _state(mirror / name, copy)
    if own:
        return _state(own, copy)
    return {} if settled else _recorded(copy)[1]


def _state(source: Path, copy: Path) -> dict[str, Any]:
    """None for a file that is not there: no download was planned with that, so that it runs.

    A source of the same bytes as the copy is nothing new, wherever the copy came from.
    """
    digest = _digest(source)
    made, settings = _recorded(copy)
    return settings if digest and digest == made else {_CONTENT: digest}


def _recorded(copy: Path) -> tuple[str | None, dict[str, Any]]:
    """Checksum of a copy that was made, and what stood for the content of its source."""
    try:
        record = json.loads(Path(f"{copy}.provenance.json").read_text(encoding="utf-8"))
        made, settings = record["outputs"][copy.name], record["settings"]
        return made, {key: settings[key] for key in (_CONTENT,) if key in settings}
    except (OSError, ValueError, LookupError, TypeError):
        return None, {}


def _digest(path: Path) -> str | None:
    """None for what is not there or cannot be read: the download says which."""
    try:
        status = path.stat()
        return _digest_as_of(path, status.st_mtime_ns, status.st_size) if path.is_file() else None
    except OSError:
        return None


@functools.cache
def _digest_as_of(path: Path, mtime: int, size: int) -> str:
    return str(file_checksum(path, "sha256"))
