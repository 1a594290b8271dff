"""Downloads: sources, mirrors and checksums."""

import json
import os
from pathlib import Path

import pytest

from hashgnn.data import download
from hashgnn.data.download import main
from hashgnn.errors import InputError
from hashgnn.files import file_checksum, listed_checksum, parse_checksum
from tests.data.downloads import DATA, GITBLOB, MD5, SHA256, WRONG, get, settings
from tests.data.files import CSV, fed


@pytest.mark.parametrize("checksum", [SHA256, MD5, GITBLOB, SHA256.upper()])
def test_each_checksum_is_accepted(tmp_path, server, checksum):
    address = f"{server.address}/good.csv"
    assert get(tmp_path, settings(address, checksum)) == {
        "source": address,
        "checksum": SHA256,
        "checked": {"settings": checksum.lower()},
        "bytes": len(DATA),
    }


def test_without_checksum_the_sha256_is_recorded(tmp_path, server):
    facts = get(tmp_path, settings(f"{server.address}/good.csv"))
    assert (facts["checksum"], facts["checked"]) == (SHA256, {})


def test_web_mirror_comes_first(tmp_path, server):
    entry = settings("http://127.0.0.1:1/good.csv", MD5)
    facts = get(tmp_path, entry, mirror=server.address)
    assert facts["source"] == f"{server.address}/toy/good.csv"
    assert facts["checked"] == {f"{server.address}/SHA256SUMS": SHA256, "settings": MD5}


LISTED = f"{SHA256.partition(':')[2]}  toy/good.csv\n"


OTHER = "0" * 64 + "  toy/good.csv\n"


@pytest.mark.parametrize(
    ("listing", "checksum", "trusted", "checked"),
    [
        (None, None, False, []),
        (None, MD5, False, ["settings"]),
        (None, MD5, True, ["settings"]),  # a mirror that lists nothing replaces nothing
        ("", MD5, True, ["settings"]),
        (LISTED, None, False, ["list"]),
        (LISTED, MD5, False, ["list", "settings"]),
        (LISTED, MD5, True, ["list"]),
        (LISTED, WRONG, True, ["list"]),
        (LISTED, WRONG, False, f"expected {WRONG} (settings), got {MD5}"),
        (None, WRONG, True, f"expected {WRONG} (settings), got {MD5}"),
        (OTHER, MD5, False, "expected sha256:000"),
        (OTHER, MD5, True, "expected sha256:000"),
        (OTHER, None, False, "expected sha256:000"),
        ("xyz  toy/good.csv\n", MD5, False, "m/SHA256SUMS: toy/good.csv: checksum 'sha256:xyz'"),
        (f"SHA256 (toy/good.csv) = {'0' * 64}\n", None, False, "expected sha256:000"),
        (f"{'0' * 64}\ttoy/good.csv\n", None, False, "toy/good.csv: line 1: '000"),
        (f"  {OTHER}", None, False, "toy/good.csv: line 1: '  000"),
        (f"\\{OTHER}", None, False, "toy/good.csv: line 1: "),
        (f"{LISTED}\n{OTHER}", None, False, "toy/good.csv: is listed with 2 checksums"),
        (f"# of today\n\n{LISTED}", None, False, ["list"]),
    ],
)
def test_both_checksums_hold_unless_the_mirror_is_trusted(
    tmp_path, listing, checksum, trusted, checked
):
    mirror = tmp_path / "m"
    (mirror / "toy").mkdir(parents=True)
    (mirror / "toy" / "good.csv").write_bytes(DATA)
    if listing is not None:
        (mirror / "SHA256SUMS").write_text(listing)

    found = get(tmp_path, settings(checksum=checksum), str(mirror), trusted)

    if isinstance(checked, list):
        values = {"list": (f"{mirror}/SHA256SUMS", SHA256), "settings": ("settings", checksum)}
        assert found["checked"] == dict(values[name] for name in checked)
    else:
        assert checked in found


def test_what_replaces_a_checksum_is_said(tmp_path, server):
    message = get(tmp_path, settings(checksum=WRONG), server.address)
    assert "--config mirror_checksums=trust" in message


def test_mirror_without_the_file_falls_through(tmp_path, server):
    entry = settings(f"{server.address}/good.csv", MD5, file="missing.csv")
    assert get(tmp_path, entry, mirror=str(tmp_path))["source"] == entry["address"]
    (tmp_path / "download" / "missing.csv").unlink()
    assert get(tmp_path, entry, mirror=server.address)["source"] == entry["address"]


def test_login_error_names_page_and_place(tmp_path):
    entry = settings(manual={"page": "https://example.org/649", "note": "needs a login"})
    message = get(tmp_path, entry)
    assert "Toy: good.csv must be fetched by hand (needs a login)" in message
    assert "get it from https://example.org/649" in message
    assert str(tmp_path / "m" / "toy" / "good.csv") in get(tmp_path, entry, str(tmp_path / "m"))


def test_path_as_address_is_copied(tmp_path):
    (tmp_path / "mine.csv").write_bytes(DATA)
    for address in ("mine.csv", str(tmp_path / "mine.csv")):
        assert get(tmp_path, settings(address, MD5))["source"] == str(tmp_path / "mine.csv")
        (tmp_path / "download" / "good.csv").unlink()
    missing = get(tmp_path, settings("none.csv"))
    assert missing.startswith(f"Toy: good.csv: no file 'none.csv' in {tmp_path}, where relative ")
    assert "mirror" not in missing
    assert "no file '/none.csv'; correct its address" in get(tmp_path, settings("/none.csv"))
    assert "none.csv: no such file" in get(tmp_path, settings("none.csv"), str(tmp_path))
    assert "expected a readable file" in get(tmp_path, settings("."))
    assert "expected http://" in get(tmp_path, settings("ftp://example.org/x"))
    assert "give the absolute path" in get(tmp_path, settings("~nobody-of-this-name/x"))
    os.mkfifo(tmp_path / "fifo")
    assert "is no regular file" in get(tmp_path, settings("fifo"))


def test_a_path_may_begin_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "toy").mkdir(parents=True)
    (tmp_path / "home" / "toy" / "good.csv").write_bytes(DATA)
    assert get(tmp_path, settings("~/toy/good.csv"))["checksum"] == SHA256
    (tmp_path / "download" / "good.csv").unlink()
    command = ["--mirror=~", f"--output={tmp_path}/download/good.csv"]
    assert main([*command, "--settings", json.dumps(settings())]) == 0


def test_command_line(tmp_path, capfd):
    (tmp_path / "mine.csv").write_bytes(DATA)
    output, record = tmp_path / "out" / "good.csv", tmp_path / "out" / "good.json"
    common = [f"--base={tmp_path}", f"--output={output}", f"--provenance={record}"]
    assert main([*common, "--settings", json.dumps(settings("mine.csv", MD5))]) == 0
    assert json.loads(record.read_text())["checked"] == {"settings": MD5}
    (tmp_path / "m" / "toy").mkdir(parents=True)
    (tmp_path / "mine.csv").rename(tmp_path / "m" / "toy" / "good.csv")
    assert main([*common, "--mirror=m", "--settings", json.dumps(settings())]) == 0
    assert json.loads(record.read_text())["source"] == str(tmp_path / "m" / "toy" / "good.csv")
    assert main([*common, "--mirror=m", "--settings", json.dumps(settings(checksum=WRONG))]) == 2
    assert capfd.readouterr().err.startswith("error: ")
    assert output.read_bytes() == DATA


@pytest.mark.parametrize("text", ["md5", "md5:", "crc:00", "md5:" + "g" * 32, "sha256:00"])
def test_malformed_checksum(text):
    with pytest.raises(InputError, match="expected one of md5:<32 hex digits>"):
        parse_checksum(text)


def test_known_values(tmp_path):
    (tmp_path / "empty").touch()
    # What `git hash-object /dev/null` prints.
    git = "gitblob:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert str(file_checksum(tmp_path / "empty", "gitblob")) == git
    assert listed_checksum(f"{'1' * 64} *./a/b\n{'2' * 64}  a/b c", "a/b c").value == "2" * 64


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
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    message = get(tmp_path, settings(f"{server.address}/{path}", WRONG))
    assert all(word in message for word in [*words, server.address])
    assert "\n" not in message
    assert len(server.seen) == requests


@pytest.mark.parametrize("path", ["busy.csv", "cut_once.csv", "redirect.csv"])
def test_passing_trouble_is_survived(tmp_path, server, path):
    assert get(tmp_path, settings(f"{server.address}/{path}", SHA256))["checked"]


def test_dead_address_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "RETRY_WAITS", ())
    message = get(tmp_path, settings("http://127.0.0.1:1/good.csv", SHA256))
    assert "cannot be reached" in message
    assert f"save it as {tmp_path}/mirror/toy/good.csv" in message


@pytest.mark.parametrize("name", ["x", "x.csv", "x.csv.gz", "x.parquet", "x.zip", "x.txt"])
def test_a_pipe_is_not_fetched(tmp_path: Path, name: str) -> None:
    pipe = fed(tmp_path / name, CSV)
    with pytest.raises(InputError, match="is no regular file"):
        download.fetch(str(pipe), tmp_path / "target")
