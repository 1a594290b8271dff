"""Fixtures of the tests of data."""

import threading
from http.server import ThreadingHTTPServer

import pytest

from hashgnn.data import download
from tests.data.downloads import Handler


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download, "RETRY_WAITS", (0.0, 0.0))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.seen = []
        running.address = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()
