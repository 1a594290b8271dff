"""A local server that behaves badly in each known way, and downloads from it."""

import hashlib
import time
from http.server import BaseHTTPRequestHandler

from hashgnn.data.download import download
from hashgnn.errors import InputError

DATA = b"u1,i1\nu2,i2\n"


SHA256 = f"sha256:{hashlib.sha256(DATA).hexdigest()}"


MD5 = f"md5:{hashlib.md5(DATA).hexdigest()}"


GITBLOB = f"gitblob:{hashlib.sha1(b'blob 12' + bytes(1) + DATA).hexdigest()}"


WRONG = "md5:" + "0" * 32


class Handler(BaseHTTPRequestHandler):
    """Answers by path; ``server.seen`` lists the requests."""

    def do_GET(self):
        self.server.seen.append(self.path)
        getattr(self, "get_" + self.path.rpartition("/")[2].partition(".")[0].lower())()

    def answer(self, status=200, body=DATA, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def get_good(self):
        self.answer()

    def get_redirect(self):
        self.answer(302, b"", Location="/good.csv")

    def get_cut(self):
        self.answer(**{"Content-Length": "1000"})

    def get_cut_once(self):
        cut = self.server.seen.count(self.path) == 1
        self.answer(**{"Content-Length": "1000"} if cut else {})

    def get_html(self):
        self.answer(body=b"\n<!DOCTYPE html><html>please log in</html>")

    def get_missing(self):
        self.answer(404, b"<html>not found</html>")

    def get_busy(self):
        self.answer(503 if self.server.seen.count(self.path) < 3 else 200)

    def get_stall(self):
        self.send_response(200)
        self.end_headers()
        time.sleep(1.0)

    def get_sha256sums(self):
        self.answer(body=f"{SHA256.partition(':')[2]}  toy/good.csv\n".encode())

    def log_message(self, *_):
        pass


def settings(address=None, checksum=None, file="good.csv", **others):
    entry = {"dataset": "toy", "name": "Toy", "file": file}
    return entry | {"address": address, "checksum": checksum} | others


def get(tmp_path, entry, mirror=None, trusted=False):
    """Download into an empty folder and hold that nothing but the whole file is left there."""
    output = tmp_path / "download" / entry["file"]
    try:
        facts = download(entry, output, mirror, tmp_path, trusted)
    except InputError as error:
        assert not list(output.parent.iterdir())
        return str(error)
    assert [output] == list(output.parent.iterdir())
    assert output.read_bytes() == DATA
    return facts
