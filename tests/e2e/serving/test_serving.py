"""``hashgnn serve`` as a process of its own, whose model is replaced while requests come.

``make test-serving`` runs this.
"""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hashgnn import HashGNN

pytestmark = pytest.mark.slow
CODE = "from hashgnn.cli.main import main; main(prog_name='hashgnn')"
REQUEST = "/recommend?user=u1&user=u2&n=5"
CLIENTS, SWAPS = 4, 8


def fitted(step: int) -> HashGNN:
    items = [(step * n + n // 6) % 60 for n in range(240)]
    return HashGNN(16, method="puresvd").fit(([f"u{n // 6}" for n in range(240)], items))


class Service:
    """A process that serves ``folder`` and looks for a new model ten times a second."""

    def __init__(self, folder: Path, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = log
        options = ["--port", str(self.port), "--every", "0.1"]
        command = [sys.executable, "-c", CODE, "serve", str(folder), *options]
        with log.open("w") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file)
        self._wait()

    def _wait(self) -> None:
        for _ in range(600):
            assert self.process.poll() is None, self.log.read_text()
            try:
                self.get("/health")
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def get(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            return json.loads(answer.read())

    def until(self, key: str, value: int) -> None:
        """Wait until ``key`` of the health is ``value``."""
        for _ in range(600):
            if self.get("/health")[key] == value:
                return
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())


@pytest.fixture(scope="module")
def models() -> tuple[HashGNN, HashGNN]:
    return fitted(7), fitted(11)


@pytest.fixture
def service(models: tuple[HashGNN, HashGNN], tmp_path: Path) -> Iterator[Service]:
    models[0].save(tmp_path / "model")
    started = Service(tmp_path / "model", tmp_path / "log")
    yield started
    started.process.kill()
    started.process.wait()


class Client(threading.Thread):
    """Asks again and again over one connection, and keeps what it gets."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.answers: dict[tuple[int, str], int] = {}
        self.failures: list[Exception] = []
        self.ended = threading.Event()
        self._port = port

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self.ended.is_set():
            try:
                connection.request("GET", REQUEST)
                answer = connection.getresponse()
                key = answer.status, answer.read().decode()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(error)
                connection.close()
                continue
            self.answers[key] = self.answers.get(key, 0) + 1
        connection.close()


def expected(model: HashGNN) -> list[list[int]]:
    found = model.recommend(["u1", "u2"], 5)
    return [found.item[found.user == user].tolist() for user in ("u1", "u2")]


def test_no_request_is_dropped_while_models_take_over(
    models: tuple[HashGNN, HashGNN], service: Service, tmp_path: Path
) -> None:
    clients = [Client(service.port) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for swap in range(1, SWAPS + 1):
        models[swap % 2].save(tmp_path / "model")
        service.until("replaced", swap)
    codes = tmp_path / "model/item_codes.npy"
    whole = codes.read_bytes()
    codes.unlink()  # not written over, as the service has mapped it
    codes.write_bytes(whole[:-3])
    service.until("refused", 1)
    time.sleep(0.5)
    for client in clients:
        client.ended.set()
        client.join()

    assert [client.failures for client in clients] == [[]] * CLIENTS
    answers = [key for client in clients for key in client.answers]
    assert {status for status, _ in answers} == {200}
    lists = [[row["items"] for row in json.loads(text)["users"]] for _, text in answers]
    known = [expected(model) for model in models]
    assert all(found in known for found in lists)
    assert all(model in lists for model in known)
    assert sum(sum(client.answers.values()) for client in clients) > 10 * SWAPS
    errors = re.findall(r"^ERROR: +(.*)$", service.log.read_text(), re.MULTILINE)
    assert len(errors) == 1
    assert errors[0].startswith(f"{codes}: altered or damaged")
    assert errors[0].endswith("; the model before is still served")


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_quietly(service: Service, by: signal.Signals) -> None:
    service.process.send_signal(by)

    assert service.process.wait(60) == 0
    assert "Traceback" not in service.log.read_text()
    assert "error:" not in service.log.read_text()
