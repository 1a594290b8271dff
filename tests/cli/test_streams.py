"""What goes into ``hashgnn recommend`` and comes out: users, encodings, pipes, full disks."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from hashgnn import HashGNN
from hashgnn.cli.main import main
from hashgnn.errors import InputError

HEADER = "user,item,rank,score\n"


def run(*arguments: str | Path, given: bytes = b"") -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), input=given)


def shell(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """What bash makes of ``command``, where H is the command and M the model."""
    hashgnn = "from hashgnn.cli.main import main; main(prog_name='hashgnn')"
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    given = {"PYTHON": sys.executable, "CODE": hashgnn, "M": str(folder), **variables}
    script = f'H() {{ "$PYTHON" -c "$CODE" "$@"; }}; {command}'
    return subprocess.run(["bash", "-c", script], capture_output=True, env=inherited | given)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight users, one of whom has all 20 items; the ids are integers."""
    rows = [(user, (3 * user + step) % 20) for user in range(1, 8) for step in range(10)]
    rows += [(99, item) for item in range(20)]
    path = tmp_path_factory.mktemp("streams") / "model"
    HashGNN(method="mf", epochs=1).fit(pd.DataFrame(rows, columns=["user", "item"])).save(path)
    return path


@pytest.fixture(scope="session")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with ids of text that is not ASCII."""
    rows = [(f"kä{user}", f"商{(user + step) % 20}") for user in range(8) for step in range(10)]
    path = tmp_path_factory.mktemp("streams") / "named"
    HashGNN(method="mf", epochs=1).fit(pd.DataFrame(rows, columns=["user", "item"])).save(path)
    return path


def answers(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_user_asked_for_has_a_line(folder: Path) -> None:
    options = ["-n", "2", "--format", "jsonl"]
    single = answers(run("recommend", folder, "--user", "3", *options).stdout)
    users = ["3", "99", "3", "99", "99", "5"]

    found = answers(run("recommend", folder, "--users", "-", *options, given=text(users)).stdout)

    assert [line["user"] for line in found] == [3, 99, 3, 99, 99, 5]
    assert [len(line["items"]) for line in found] == [2, 0, 2, 0, 0, 2]
    assert [len(line["scores"]) for line in found] == [2, 0, 2, 0, 0, 2]
    assert found[0] == found[2] == single[0]
    everybody = answers(run("recommend", folder, *options).stdout)
    assert [line["user"] for line in everybody] == [1, 2, 3, 4, 5, 6, 7, 99]


def text(users: list[str]) -> bytes:
    return "\n".join(users).encode()


def test_rows_of_a_user_asked_for_twice(folder: Path) -> None:
    ran = run("recommend", folder, "--user", "3", "--user", "3", "-n", "2")
    rows = pd.read_csv(io.StringIO(ran.stdout))
    assert rows["user"].tolist() == [3] * 4
    assert rows["rank"].tolist() == [1, 2, 1, 2]


@pytest.mark.parametrize(
    ("content", "users"),
    [
        (b"\xef\xbb\xbf3\n5\n", [3, 5]),
        (b"3\r\n\r\n  \r\n5", [3, 5]),
        (b"3\r5\r", [3, 5]),
        (b"", []),
        (b"\xef\xbb\xbf", []),
        (b"\n\n", []),
    ],
)
def test_the_users_in_a_file(
    folder: Path, tmp_path: Path, content: bytes, users: list[int]
) -> None:
    path = tmp_path / "users.txt"
    path.write_bytes(content)
    ran = run("recommend", folder, "--users", path, "-n", "1")
    assert ran.stdout.startswith(HEADER)
    assert pd.read_csv(io.StringIO(ran.stdout))["user"].tolist() == users
    lines = answers(run("recommend", folder, "--users", path, "--format", "jsonl").stdout)
    assert [line["user"] for line in lines] == users


@pytest.mark.parametrize("content", [b"3\n5\nk\xe41\n", b"3\n5\n\xff\xfe"])
def test_users_that_are_not_utf8(folder: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "users.txt"
    path.write_bytes(content)
    for given in (path, "-"):
        ran = run("recommend", folder, "--users", given, given=content)
        assert (ran.exit_code, ran.stdout) == (2, "")
        assert ran.stderr == f"error: {given}, line 3: not UTF-8 text; save it as UTF-8\n"


def test_a_user_that_is_no_text(folder: Path) -> None:
    ran = run("recommend", folder, "--user", "k\udce4")
    assert (ran.exit_code, ran.stderr) == (2, "error: --user 'k\\udce4': not UTF-8 text\n")


@pytest.mark.parametrize("search", ["hamming", "continuous", "hierarchical"])
def test_numbers_beyond_the_catalogue(folder: Path, search: str) -> None:
    every = run("recommend", folder, "--search", search, "-n", "20")
    many = ["-n", "99999999999", "--candidates", "9" * 30]
    ran = run("recommend", folder, "--search", search, *many)
    assert (ran.exit_code, ran.stdout) == (0, every.stdout), ran.output


@pytest.mark.parametrize("option", ["--number", "--candidates"])
@pytest.mark.parametrize("value", ["0", "-1", "-99999999999999999999", "1e3", "nan", ""])
def test_numbers_that_are_none(folder: Path, option: str, value: str) -> None:
    ran = run("recommend", folder, option, value)
    assert ran.exit_code == 2
    assert option in ran.stderr.splitlines()[-1]


def test_a_few_users_at_a_time_give_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run("recommend", folder, "-n", "5").stdout
    monkeypatch.setattr("hashgnn.cli.recommend._ITEMS", 40)
    assert run("recommend", folder, "-n", "5").stdout == whole


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["ascii", "latin-1", "C"],
)
def test_output_is_utf8_on_every_terminal(
    named: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    ran = shell("H recommend $M --user kä3 -n 1; H recommend $M --user kü", named, **variables)
    assert run("recommend", named, "--user", "kä3", "-n", "1").stdout.encode() == ran.stdout
    assert ran.stderr.startswith(b"error: unknown user: 'k")
    assert ran.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("H recommend $M --user 3 > /dev/full", 1, "error: standard output: No space left on"),
        ("H recommend $M > /dev/full", 1, "error: standard output: No space left on"),
        ("H info $M > /dev/full", 1, "error: No space left on device"),
        ("H --help > /dev/full", 1, "error: No space left on device"),
        ("H recommend $M --user 3 >&-", 2, "error: standard output is closed; give --output"),
        ("H recommend $M --users - <&-", 2, "error: standard input is closed; give a file"),
        ("H train - --output x <&-", 2, "error: standard input is closed; give a file"),
        ("H recommend $M --user 3 | true; exit ${PIPESTATUS[0]}", 1, ""),
        ("H info $M | true; exit ${PIPESTATUS[0]}", 1, ""),
        ("H recommend $M --user x 2> /dev/full", 2, ""),
        ("H recommend $M --user x 2>&-", 2, ""),
    ],
)
def test_streams_that_take_or_give_nothing(
    folder: Path, command: str, status: int, message: str
) -> None:
    for unbuffered in ("", "1"):
        ran = shell(command, folder, PYTHONUNBUFFERED=unbuffered)
        assert (ran.returncode, ran.stdout) == (status, b""), ran.stderr
        assert ran.stderr.decode().startswith(message)
        assert ran.stderr.count(b"\n") == bool(message)


def test_no_error_names_none(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def fail(folder: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("hashgnn.recommender.folder.load_model", fail)
    ran = run("recommend", folder)
    assert (ran.exit_code, ran.stderr) == (1, "error: Input/output error\n")


def test_bad_input_has_its_line(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def fail(folder: Path) -> None:
        raise InputError("this is bad")

    monkeypatch.setattr("hashgnn.recommender.folder.load_model", fail)
    ran = run("recommend", folder)
    assert (ran.exit_code, ran.stderr) == (2, "error: this is bad\n")
