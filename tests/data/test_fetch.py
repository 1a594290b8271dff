"""Files of a local server that behaves badly in each known way, and of the file system."""

from pathlib import Path

import pytest

from hashgnn.data import fetch
from hashgnn.errors import InputError
from tests.data.downloads import MD5, SHA256, WRONG, get, settings
from tests.data.files import CSV, fed


@pytest.mark.parametrize(
    ("path", "requests", "words"),
    [
        ("good.csv", 1, ["wrong checksum", WRONG, MD5, "12 bytes"]),
        ("cut.csv", 3, ["cut off", "--config mirror="]),
        ("missing.csv", 1, ["no such file there (HTTP 404)", "--config mirror="]),
        ("html.csv", 1, ["web page (HTML)"]),
        ("stall.csv", 3, ["no answer within 0.2 s"]),
    ],
)
def test_bad_answers_are_one_clear_error(tmp_path, server, monkeypatch, path, requests, words):
    monkeypatch.setattr(fetch, "TIMEOUT", 0.2)
    message = get(tmp_path, settings(f"{server.address}/{path}", WRONG))
    assert all(word in message for word in [*words, server.address])
    assert "\n" not in message
    assert len(server.seen) == requests


@pytest.mark.parametrize("path", ["busy.csv", "cut_once.csv", "redirect.csv"])
def test_passing_trouble_is_survived(tmp_path, server, path):
    assert get(tmp_path, settings(f"{server.address}/{path}", SHA256))["checked"]


def test_dead_address_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "RETRY_WAITS", ())
    message = get(tmp_path, settings("http://127.0.0.1:1/good.csv", SHA256))
    assert "cannot be reached" in message
    assert f"save it as {tmp_path}/mirror/toy/good.csv" in message


@pytest.mark.parametrize("name", ["x", "x.csv", "x.csv.gz", "x.parquet", "x.zip", "x.txt"])
def test_a_pipe_is_not_fetched(tmp_path: Path, name: str) -> None:
    pipe = fed(tmp_path / name, CSV)
    with pytest.raises(InputError, match="is no regular file"):
        fetch.fetch(str(pipe), tmp_path / "target")
