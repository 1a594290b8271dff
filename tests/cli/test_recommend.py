"""The users that go into ``hashgnn recommend``, and the rows that come out."""

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hashgnn import HashGNN
from tests.helpers import run_hashgnn as run


def test_recommend_answers_as_the_model_does(folder: Path) -> None:
    ran = run("recommend", folder, "--user", "käufer 7", "--user", "käufer 2", "-n", "4")

    found = pd.read_csv(io.StringIO(ran.stdout), dtype={"item": str})
    expected = HashGNN.load(folder).recommend(["käufer 7", "käufer 2"], n=4)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-6)
    assert all(item.startswith("04") or item.startswith("05") for item in found.item[:4])


def test_recommend_reads_users_and_writes_json_lines(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "new/out.jsonl"
    options = ["--users", "-", "-n", "2", "--format", "jsonl", "--search", "hamming"]

    ran = run("recommend", folder, *options, "--output", output, given="käufer 1\n\nkäufer 0\n")

    assert (ran.exit_code, ran.stdout) == (0, "")
    lines = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [line["user"] for line in lines] == ["käufer 1", "käufer 0"]
    expected = HashGNN.load(folder).recommend(["käufer 1"], n=2, search="hamming")
    assert lines[0]["items"] == expected.item.tolist()
    assert lines[0]["scores"] == expected.score.tolist()


def test_recommend_serves_everybody_by_default(folder: Path) -> None:
    rows = run("recommend", folder, "-n", "3", "--include-known").stdout.splitlines()

    assert rows[0] == "user,item,rank,score"
    assert len(rows) == 1 + 3 * 300


HEADER = "user,item,rank,score\n"


def answers(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_user_asked_for_has_a_line(small_model: Path) -> None:
    options = ["-n", "2", "--format", "jsonl"]
    single = answers(run("recommend", small_model, "--user", "3", *options).stdout)
    users = ["3", "99", "3", "99", "99", "5"]

    found = answers(
        run("recommend", small_model, "--users", "-", *options, given=text(users)).stdout
    )

    assert [line["user"] for line in found] == [3, 99, 3, 99, 99, 5]
    assert [len(line["items"]) for line in found] == [2, 0, 2, 0, 0, 2]
    assert [len(line["scores"]) for line in found] == [2, 0, 2, 0, 0, 2]
    assert found[0] == found[2] == single[0]
    everybody = answers(run("recommend", small_model, *options).stdout)
    assert [line["user"] for line in everybody] == [1, 2, 3, 4, 5, 6, 7, 99]


def text(users: list[str]) -> bytes:
    return "\n".join(users).encode()


def test_rows_of_a_user_asked_for_twice(small_model: Path) -> None:
    ran = run("recommend", small_model, "--user", "3", "--user", "3", "-n", "2")
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
    small_model: Path, tmp_path: Path, content: bytes, users: list[int]
) -> None:
    path = tmp_path / "users.txt"
    path.write_bytes(content)
    ran = run("recommend", small_model, "--users", path, "-n", "1")
    assert ran.stdout.startswith(HEADER)
    assert pd.read_csv(io.StringIO(ran.stdout))["user"].tolist() == users
    lines = answers(run("recommend", small_model, "--users", path, "--format", "jsonl").stdout)
    assert [line["user"] for line in lines] == users


@pytest.mark.parametrize("content", [b"3\n5\nk\xe41\n", b"3\n5\n\xff\xfe"])
def test_users_that_are_not_utf8(small_model: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "users.txt"
    path.write_bytes(content)
    for given in (path, "-"):
        ran = run("recommend", small_model, "--users", given, given=content)
        assert (ran.exit_code, ran.stdout) == (2, "")
        assert ran.stderr == f"error: {given}, line 3: not UTF-8 text; save it as UTF-8\n"


def test_a_user_that_is_no_text(small_model: Path) -> None:
    ran = run("recommend", small_model, "--user", "k\udce4")
    assert (ran.exit_code, ran.stderr) == (2, "error: --user 'k\\udce4': not UTF-8 text\n")


@pytest.mark.parametrize("search", ["hamming", "continuous", "hierarchical"])
def test_numbers_beyond_the_catalogue(small_model: Path, search: str) -> None:
    every = run("recommend", small_model, "--search", search, "-n", "20")
    many = ["-n", "99999999999", "--candidates", "9" * 30]
    ran = run("recommend", small_model, "--search", search, *many)
    assert (ran.exit_code, ran.stdout) == (0, every.stdout), ran.output


@pytest.mark.parametrize("option", ["--number", "--candidates"])
@pytest.mark.parametrize("value", ["0", "-1", "-99999999999999999999", "1e3", "nan", ""])
def test_numbers_that_are_none(small_model: Path, option: str, value: str) -> None:
    ran = run("recommend", small_model, option, value)
    assert ran.exit_code == 2
    assert option in ran.stderr.splitlines()[-1]


def test_a_few_users_at_a_time_give_the_same(
    small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run("recommend", small_model, "-n", "5").stdout
    monkeypatch.setattr("hashgnn.cli.recommend._ITEMS", 40)
    assert run("recommend", small_model, "-n", "5").stdout == whole
