"""Stage 1: fetch one file of a data set, from the mirror if there is one, and check it.

Settings: ``dataset``, ``name`` (display name), ``file``; ``address`` (of the web, or a path)
and ``checksum`` ("md5:...", "sha256:..." or "gitblob:..."), both optional; ``manual``
({page, note}) for a data set that only a person can fetch.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from hashgnn.data.checksum import Checksum, file_checksum, listed_checksum, parse_checksum
from hashgnn.data.fetch import NotThereError, fetch, is_web_address
from hashgnn.errors import InputError
from hashgnn.files import atomic_write
from hashgnn.stage import run_stage, stage_parser

_LISTING = "SHA256SUMS"


class Source(NamedTuple):
    """A place to fetch from, and the checksum that its file must have (None: unknown)."""

    place: str
    checksum: Checksum | None


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of the stage; returns the exit status."""
    parser = stage_parser(__doc__)
    parser.add_argument(
        "--mirror",
        metavar="FOLDER_OR_ADDRESS",
        default=os.environ.get("HASHGNN_MIRROR"),
        help="tried first; by default $HASHGNN_MIRROR",
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
    return download(args.settings, args.output, mirror, args.base)


def _resolved(place: str, base: Path) -> str:
    return place if is_web_address(place) else str(base / Path(place).expanduser())


def download(
    settings: Mapping[str, Any], output: Path, mirror: str | None, base: Path
) -> dict[str, object]:
    """Leave the file at ``output``, whole and checked, or raise ``InputError``.

    Returns where it came from, its checksum and its size in bytes.
    """
    checksum = parse_checksum(settings["checksum"]) if settings.get("checksum") else None
    failures = []
    with atomic_write(output) as temporary:
        for source in _sources(settings, checksum, mirror, base, temporary):
            try:
                fetch(source.place, temporary)
            except NotThereError as error:
                failures.append(str(error))
                continue
            found = _check(temporary, source)
            return {
                "source": source.place,
                "checksum": str(found),
                "checked": source.checksum is not None,
                "bytes": temporary.stat().st_size,
            }
        raise _nowhere(settings, _folder(mirror, base), failures)


def _sources(
    settings: Mapping[str, Any],
    checksum: Checksum | None,
    mirror: str | None,
    base: Path,
    scratch: Path,
) -> list[Source]:
    sources = []
    if mirror:
        name = f"{settings['dataset']}/{settings['file']}"
        listed = listed_checksum(_listing(mirror, scratch), name)
        sources.append(Source(_place_in(mirror, name), listed or checksum))
    if address := settings.get("address"):
        sources.append(Source(_resolved(address, base), checksum))
    return sources


def _place_in(mirror: str, name: str) -> str:
    if is_web_address(mirror):
        return f"{mirror.rstrip('/')}/{quote(name)}"
    return str(Path(mirror) / name)


def _listing(mirror: str, scratch: Path) -> str:
    """The text of the mirror's list of checksums; empty where it has none."""
    try:
        fetch(_place_in(mirror, _LISTING), scratch)
    except InputError:
        return ""
    return scratch.read_text(encoding="utf-8", errors="replace")


def _check(path: Path, source: Source) -> Checksum:
    found = file_checksum(path, source.checksum.algorithm if source.checksum else "sha256")
    if source.checksum and found != source.checksum:
        raise InputError(
            f"{source.place}: wrong checksum: expected {source.checksum}, got {found} "
            f"({path.stat().st_size:,} bytes); damaged or changed at its source"
        )
    return found


def _folder(mirror: str | None, base: Path) -> Path:
    """The folder that a file fetched by hand goes into."""
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
        f"{name}: {file} could not be had: {tried}. If you have it, save it as {where}"
    )


if __name__ == "__main__":
    sys.exit(main())
