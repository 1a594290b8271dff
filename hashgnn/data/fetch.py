"""Fetch one file from a web address or a path, with retries and progress."""

import re
import shutil
import sys
import time
from pathlib import Path

import pooch
import requests
from tqdm import tqdm

from hashgnn.errors import InputError
from hashgnn.stage.progress import report

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
