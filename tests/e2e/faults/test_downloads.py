"""Servers that stall, cut off, redirect, answer with web pages or lie; and no network at all."""

import gzip
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hashgnn.data import download as stage
from hashgnn.data.download import main
from tests.e2e.faults.namespaces import without_network
from tests.e2e.faults.tally import Tally

pytestmark = pytest.mark.faults

DATA = b"".join(b"user %d,item %d\n" % (n, n % 7) for n in range(5_000))
SHA256 = hashlib.sha256(DATA).hexdigest()
HALF = len(DATA) // 2
PAGE = b"<!DOCTYPE html><html><body>Please log in.</body></html>"


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the user has would be asked first."""
    monkeypatch.delenv("HASHGNN_MIRROR", raising=False)


class Handler(BaseHTTPRequestHandler):
    """Answers each path in its own bad way, good.csv in a good one."""

    def do_GET(self) -> None:
        getattr(self, self.path.strip("/").removesuffix(".csv"))()

    def answer(self, body: bytes = DATA, status: int = 200, **headers: object) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def good(self) -> None:
        self.answer()

    def stalls_before_it_answers(self) -> None:
        time.sleep(1.5)

    def stalls_half_way(self) -> None:
        self.answer(DATA[:HALF], Content_Length=len(DATA))
        self.wfile.flush()
        time.sleep(1.5)

    def is_cut_off(self) -> None:
        self.answer(DATA[:HALF], Content_Length=len(DATA))

    def is_cut_off_without_length(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(DATA[:HALF])

    def is_cut_off_between_chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n" % (HALF, DATA[:HALF]))

    def tells_too_short_a_length(self) -> None:
        self.answer(Content_Length=HALF)

    def tells_too_long_a_length(self) -> None:
        self.answer(Content_Length=2 * len(DATA))

    def tells_no_number_as_length(self) -> None:
        self.answer(Content_Length="many")

    def is_empty(self) -> None:
        self.answer(b"")

    def is_a_web_page(self) -> None:
        self.answer(PAGE)

    def is_a_web_page_of_another_kind(self) -> None:
        self.answer(b'<?xml version="1.0"?>\n' + PAGE)

    def redirects(self) -> None:
        self.answer(b"", 302, Location="/good.csv")

    def redirects_to_a_web_page(self) -> None:
        self.answer(b"", 302, Location="/is_a_web_page.csv")

    def redirects_in_a_circle(self) -> None:
        self.answer(b"", 302, Location="/redirects_in_a_circle.csv")

    def redirects_to_a_file(self) -> None:
        self.answer(b"", 302, Location="file:///etc/passwd")

    def compresses(self) -> None:
        self.answer(gzip.compress(DATA), Content_Encoding="gzip")

    def is_not_there(self) -> None:
        self.answer(PAGE, 404)

    def fails(self) -> None:
        self.answer(PAGE, 500)

    def hangs_up(self) -> None:
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


GOOD = {"good", "redirects", "compresses"}
WAYS = sorted(
    name
    for name, value in vars(Handler).items()
    if callable(value) and name not in {"do_GET", "answer", "log_message"}
)


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(stage, "RETRY_WAITS", (0.0, 0.0))
    monkeypatch.setattr(stage, "TIMEOUT", 0.5)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def download(folder: Path, address: str, checksum: str | None = f"sha256:{SHA256}") -> int:
    entry = {"dataset": "toy", "name": "Toy", "file": "good.csv"}
    settings = json.dumps({**entry, "address": address, "checksum": checksum})
    record = folder / "good.csv.provenance.json"
    return main(
        ["--settings", settings, "--output", f"{folder}/good.csv", "--provenance", str(record)]
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("before", ["nothing", "an older file"])
def test_the_file_is_whole_or_the_error_is_one_line(
    tmp_path: Path,
    address: str,
    capsys: pytest.CaptureFixture[str],
    tally: Tally,
    way: str,
    before: str,
) -> None:
    output = tmp_path / "good.csv"
    if before != "nothing":
        output.write_bytes(b"older")
    with tally.fault("a bad download"):
        status = download(tmp_path, f"{address}/{way}.csv")
        errors = [line for line in capsys.readouterr().err.splitlines() if "error" in line]

        if way in GOOD:
            assert status == 0
        else:
            assert status == 2
            assert len(errors) == 1
            assert address in errors[0]
            assert output.exists() == (before != "nothing")
            assert not output.exists() or output.read_bytes() == b"older"
            assert download(tmp_path, f"{address}/good.csv") == 0  # the server is well again
        assert output.read_bytes() == DATA
        assert len(list(tmp_path.iterdir())) == 2  # and its record


# Nothing but a checksum could tell that these are not whole.
UNTOLD = {"is_cut_off_without_length", "tells_too_short_a_length"}


@pytest.mark.parametrize("way", sorted(set(WAYS) - GOOD - UNTOLD))
def test_without_a_checksum_too_where_the_protocol_tells(
    tmp_path: Path, address: str, tally: Tally, way: str
) -> None:
    with tally.fault("a bad download, no checksum known"):
        assert download(tmp_path, f"{address}/{way}.csv", None) == 2
        assert not list(tmp_path.iterdir())


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path, tally: Tally) -> None:
    offline = without_network()
    if not offline:
        # Only root, or a user with namespaces of their own, may make one.
        pytest.skip("no network namespace can be made here")
    entry = {"dataset": "toy", "name": "Toy", "file": "good.csv"}
    settings = json.dumps({**entry, "address": "https://files.grouplens.org/good.csv"})
    command = [sys.executable, "-m", "hashgnn.data.download", "--output", f"{tmp_path}/good.csv"]
    with tally.fault("no network, a download"):
        ran = subprocess.run(
            [*offline, *command, "--settings", settings], capture_output=True, text=True
        )
        assert ran.returncode == 2
        last = ran.stderr.splitlines()[-1]
        assert last.startswith(
            "error: Toy: good.csv could not be fetched: https://files.grouplens.org"
        )
        assert "cannot be reached" in last
        assert "run again with --config mirror=" in last
        assert not list(tmp_path.iterdir())
