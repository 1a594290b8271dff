"""Stage 1: fetch one file of a data set, from the mirror if there is one, and check it.

Settings: ``dataset``, ``name`` (display name), ``file``; ``address`` (of the web, or a path)
and ``checksum`` ("md5:...", "sha256:..." or "gitblob:..."), both optional; ``manual``
({page, note}) for a file that needs a login. ``content`` is not read: it is the checksum of a local
file, so that other content makes other settings.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from hashgnn.checksums import Checksum, file_checksum, listed_checksum, parse_checksum
from hashgnn.data.fetch import NotThereError, fetch, is_web_address, local_path
from hashgnn.errors import InputError
from hashgnn.files import atomic_write
from hashgnn.stage.command import run_stage, stage_parser

_LISTING = "SHA256SUMS"


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
