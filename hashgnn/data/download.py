"""Stage 1: fetch one file of a data set, from the mirror if there is one, and check it.

Settings: ``dataset``, ``name`` (display name), ``file``; ``address`` (of the web, or a path)
and ``checksum`` ("md5:...", "sha256:..." or "gitblob:..."), both optional; ``manual``
({page, note}) for a file that needs a login. ``content`` is not read: it is the checksum of a local
file, so that other content makes other settings.
"""

import argparse
import os
import re
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pooch
import requests
from tqdm import tqdm

from hashgnn.errors import InputError
from hashgnn.files import Checksum, atomic_write, file_checksum, listed_checksum, parse_checksum
from hashgnn.stage.command import report, run_stage, stage_parser

_LISTING = "SHA256SUMS"
RETRY_WAITS = (1.0, 3.0, 9.0)  # seconds before the second, third and fourth attempt
TIMEOUT = 60.0  # seconds without a byte

# Of an HTML page, which an XML declaration and comments may precede.
_PAGE_START = re.compile(rb"(<\?xml.*?\?>|<!--.*?-->|\s)*(<!doctype html|<html)", re.DOTALL)

_MISSING = {404, 410}
_WORTH_RETRYING = {408, 425, 429, 500, 502, 503, 504}


class NotThereError(InputError):
    """There is no such file, or its server cannot be reached."""


def is_web_address(place: str) -> bool:
    """Return whether ``place`` is a web address rather than a path; ``InputError`` if neither."""
    scheme, separator, _ = place.partition("://")
    if separator and scheme.lower() not in ("http", "https"):
        raise InputError(f"address {place!r}: expected http://, https:// or the path of a file")
    return bool(separator)


def local_path(place: str, base: Path) -> Path | None:
    """Return ``place`` as a path, relative to ``base``; None for a web address."""
    if is_web_address(place):
        return None
    try:
        return base / Path(place).expanduser()
    except RuntimeError as error:  # ~name of an unknown user
        raise InputError(f"address {place!r}: {error}; give the absolute path") from error


def not_there(name: str, address: str, base: Path) -> InputError:
    """Return the error for a path that leads to no file.

    Args:
        name: What was looked for, as data set and file.
        address: The path as given.
        base: The folder that relative paths start from.
    """
    path = local_path(address, base)
    if path == Path(address):
        looked = f"no file {address!r}"
    elif address.startswith("~"):
        looked = f"no file {address!r}, which is {path}"
    else:
        looked = f"no file {address!r} in {base.resolve()}, where relative paths begin"
    return InputError(f"{name}: {looked}; correct its address in the config, or put the file there")


def fetch(place: str, target: Path) -> None:
    """Copy the file at ``place``, a web address or a path, to ``target``.

    Raises:
        NotThereError: there is no such file, or its server cannot be reached.
        InputError: the answer is a web page or empty.
    """
    if is_web_address(place):
        _fetch_web(place, target)
    else:
        _fetch_path(Path(place), target)
    if _is_web_page(target):
        raise InputError(f"{place}: answered with a web page (HTML) instead of the data")
    if not target.stat().st_size:
        raise InputError(f"{place}: is empty; expected data")


def _fetch_path(source: Path, target: Path) -> None:
    # A copy, not a link: a later edit of the source must not change results unnoticed.
    if source.exists() and not (source.is_file() or source.is_dir()):
        raise InputError(f"{source}: is no regular file; save its content as a file")
    try:
        shutil.copyfile(source, target)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotThereError(f"{source}: no such file") from error
    except (IsADirectoryError, PermissionError, shutil.SpecialFileError) as error:
        reason = error.strerror or "is no regular file"
        raise InputError(f"{source}: {reason}; expected a readable file") from error


def _fetch_web(address: str, target: Path) -> None:
    for wait in (*RETRY_WAITS, None):
        try:
            _attempt(address, target)
            return
        except requests.RequestException as error:
            if wait is None or not _worth_retrying(error):
                raise NotThereError(f"{address}: {_reason(error)}") from error
            print(f"{address}: {_reason(error)}; trying again in {wait:g} s", file=sys.stderr)
            time.sleep(wait)
        except ValueError as error:  # by pooch, for a length that is no number
            raise NotThereError(f"{address}: invalid answer ({error})") from error


class _Bar(tqdm):
    """A progress bar that also reports to the workflow."""

    def update(self, n: float | None = 1) -> bool | None:
        """Add ``n`` bytes."""
        shown: bool | None = super().update(n)
        report(self.n, self.total or 0, "bytes")
        return shown


def _attempt(address: str, target: Path) -> None:
    name = address.rpartition("/")[2]
    # pooch sets the total when it is known; a bar without a total is false, which means no bar.
    with _Bar(desc=name, total=1, unit="B", unit_scale=True, mininterval=1, delay=1) as progress:
        # "identity": with compression in transit the length of the data is unknown.
        download = pooch.HTTPDownloader(
            progressbar=progress,
            chunk_size=1 << 16,
            timeout=TIMEOUT,
            headers={"Accept-Encoding": "identity"},
        )
        download(address, target, None)


def _worth_retrying(error: requests.RequestException) -> bool:
    if error.response is not None:
        return error.response.status_code in _WORTH_RETRYING
    return isinstance(
        error,
        requests.ConnectionError | requests.Timeout | requests.exceptions.ChunkedEncodingError,
    )


def _reason(error: requests.RequestException) -> str:
    """Describe the error for the user."""
    if error.response is not None:
        status = error.response.status_code
        return f"no such file there (HTTP {status})" if status in _MISSING else f"HTTP {status}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the transfer was cut off before its end"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"no answer within {TIMEOUT:g} s"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return str(error)


def _is_web_page(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return bool(_PAGE_START.match(start))


class Source(NamedTuple):
    """A place to fetch from, and the checksums that its file must have, by where each is listed."""

    place: str
    checksums: Mapping[str, Checksum]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line; return the exit status."""
    parser = stage_parser(__doc__)
    parser.add_argument(
        "--mirror",
        metavar="FOLDER_OR_ADDRESS",
        default=os.environ.get("HASHGNN_MIRROR"),
        help="tried first; by default $HASHGNN_MIRROR",
    )
    parser.add_argument(
        "--mirror-checksums",
        choices=("check", "trust"),
        default=os.environ.get("HASHGNN_MIRROR_CHECKSUMS") or "check",
        help=f"whether what the mirror's {_LISTING} says must hold beside the checksum of the "
        "settings, or replaces it; by default $HASHGNN_MIRROR_CHECKSUMS, else check",
    )
    parser.add_argument(
        "--base",
        type=Path,
        default=Path(os.environ.get("HASHGNN_BASE", "")),
        help="folder that relative addresses and a relative mirror start from; by default "
        "$HASHGNN_BASE, else the current one",
    )
    parser.add_argument("--output", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> dict[str, object]:
    mirror = _resolved(args.mirror, args.base) if args.mirror else None
    trusted = args.mirror_checksums == "trust"
    return download(args.settings, args.output, mirror, args.base, trusted)


def _resolved(place: str, base: Path) -> str:
    path = local_path(place, base)
    return place if path is None else str(path)


def download(
    settings: Mapping[str, Any], output: Path, mirror: str | None, base: Path, trusted: bool = False
) -> dict[str, object]:
    """Write the file to ``output`` atomically, after its checksums were verified.

    Args:
        settings: those of the stage.
        output: path of the file.
        mirror: address or folder that is tried first; None for no mirror.
        base: folder that relative addresses start from.
        trusted: whether the checksum that the mirror lists replaces the one of the settings.

    Returns:
        The source, the SHA-256, the checksums verified, and the size in bytes.

    Raises:
        InputError: no source has the file, or its checksum is wrong.
    """
    failures = []
    with atomic_write(output) as temporary:
        for source in _sources(settings, mirror, base, trusted, temporary):
            try:
                fetch(source.place, temporary)
            except NotThereError as error:
                failures.append(str(error))
                continue
            _check(temporary, source)
            return {
                "source": source.place,
                "checksum": str(file_checksum(temporary, "sha256")),
                "checked": {says: str(checksum) for says, checksum in source.checksums.items()},
                "bytes": temporary.stat().st_size,
            }
        address = settings.get("address")
        if address and not mirror and not is_web_address(address):
            raise not_there(f"{settings['name']}: {settings['file']}", address, base)
        raise _nowhere(settings, _folder(mirror, base), failures)


def _sources(
    settings: Mapping[str, Any], mirror: str | None, base: Path, trusted: bool, scratch: Path
) -> list[Source]:
    text = settings.get("checksum")
    known = {"settings": parse_checksum(text)} if text else {}
    sources = []
    if mirror:
        name = f"{settings['dataset']}/{settings['file']}"
        listed = _listed(mirror, name, scratch)
        kept = {} if listed and trusted else known
        sources.append(Source(_place_in(mirror, name), {**listed, **kept}))
    if address := settings.get("address"):
        sources.append(Source(_resolved(address, base), known))
    return sources


def _place_in(mirror: str, name: str) -> str:
    if is_web_address(mirror):
        return f"{mirror.rstrip('/')}/{quote(name)}"
    return str(Path(mirror) / name)


def _listed(mirror: str, name: str, scratch: Path) -> dict[str, Checksum]:
    """Return the checksum of a file in the mirror's list, by the place of that list."""
    place = _place_in(mirror, _LISTING)
    try:
        fetch(place, scratch)
    except NotThereError:  # most mirrors have none
        return {}
    except InputError as error:
        print(f"{error}; going on without the mirror's list of checksums", file=sys.stderr)
        return {}
    try:
        listed = listed_checksum(scratch.read_text(encoding="utf-8-sig"), name)
    except (InputError, UnicodeDecodeError) as error:
        raise InputError(f"{place}: {name}: {error}") from error
    return {place: listed} if listed else {}


def _check(path: Path, source: Source) -> None:
    held = ""
    for says, expected in source.checksums.items():
        found = file_checksum(path, expected.algorithm)
        if found != expected:
            reason = held or "damaged or changed at its source"
            raise InputError(
                f"{source.place}: wrong checksum: expected {expected} ({says}), got {found} "
                f"({path.stat().st_size:,} bytes); {reason}"
            )
        held = f"it has that of {says}, which --config mirror_checksums=trust lets replace this one"


def _folder(mirror: str | None, base: Path) -> Path:
    """Return the folder for files that are fetched by hand."""
    return (Path(mirror) if mirror and not is_web_address(mirror) else base / "mirror").resolve()


def _nowhere(settings: Mapping[str, Any], folder: Path, failures: list[str]) -> InputError:
    name, file, dataset = settings["name"], settings["file"], settings["dataset"]
    where = f"{folder / dataset / file} and run again with --config mirror={folder}"
    if manual := settings.get("manual"):
        note = f" ({manual['note']})" if manual.get("note") else ""
        return InputError(
            f"{name}: {file} must be fetched by hand{note}: get it from {manual['page']}, "
            f"save it as {where}"
        )
    tried = "; ".join(failures) or "no address and no mirror is given"
    return InputError(
        f"{name}: {file} could not be fetched: {tried}. If you have it, save it as {where}"
    )


if __name__ == "__main__":
    sys.exit(main())
