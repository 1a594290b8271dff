"""The users, items and filters that go into ``recommend`` and ``similar``, and what comes out."""

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


def table(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


def test_similar_answers_as_the_model_does(small_model: Path, tmp_path: Path) -> None:
    (tmp_path / "never").write_text("4\n5\n")
    ids = ["--id", "3", "--ids", "-"]
    ran = run("similar", small_model, "items", *ids, "-n", "4", given="7\n")
    filtered = run(
        "similar", small_model, "items", "--id", "3", "--filter-items", tmp_path / "never"
    )
    users = run("similar", small_model, "users", "-n", "2", "--search", "hamming")

    model = HashGNN.load(small_model)
    loose = {"check_dtype": False, "rtol": 1e-5}
    pd.testing.assert_frame_equal(table(ran.stdout), model.similar_items([3, 7], n=4), **loose)
    expected = model.similar_items(3, filter_items=[4, 5])
    pd.testing.assert_frame_equal(table(filtered.stdout), expected, **loose)
    everybody = model.similar_users([1, 2, 3, 4, 5, 6, 7, 99], n=2, search="hamming")
    pd.testing.assert_frame_equal(table(users.stdout), everybody, **loose)


def test_unknown_ids_of_similar(small_model: Path) -> None:
    refused = run("similar", small_model, "items", "--id", "zoe")
    skipped = run("similar", small_model, "items", "--id", "zoe", "--id", "3", "--unknown", "skip")

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: unknown item: 'zoe'; the model knows the 20 items")
    assert skipped.stderr == "1 unknown item left out: 'zoe'\n"
    assert table(skipped.stdout).item.unique().tolist() == [3]


def test_users_have_no_filters_of_items(small_model: Path, tmp_path: Path) -> None:
    (tmp_path / "never").write_text("4\n")
    ran = run("similar", small_model, "users", "--items", tmp_path / "never")
    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)


def test_filters_of_recommend(small_model: Path, tmp_path: Path) -> None:
    (tmp_path / "some").write_text("2\n11\n12\n13\n14\n15\n")
    by_user = tmp_path / "own.csv"
    by_user.write_text("user,item\n1,15\n2,2\n2,3\n")
    users = ["--user", "1", "--user", "2", "--include-known"]

    only = run("recommend", small_model, *users, "--items", tmp_path / "some", "-n", "20")
    never = run("recommend", small_model, *users, "--filter-items", tmp_path / "some", "-n", "20")
    own = run("recommend", small_model, *users, "--items", by_user)

    assert set(table(only.stdout).item) == {2, 11, 12, 13, 14, 15}
    assert len(table(never.stdout)) == 2 * 14
    assert not {2, 11, 12, 13, 14, 15} & set(table(never.stdout).item)
    pairs = table(own.stdout)[["user", "item"]].to_numpy().tolist()
    assert sorted(pairs) == [[1, 15], [2, 2], [2, 3]]


@pytest.mark.parametrize("layout", ["csv", "jsonl"])
def test_a_batch_survives_unknown_ids(small_model: Path, tmp_path: Path, layout: str) -> None:
    (tmp_path / "never").write_text("11\nbelt\n")
    users = ["--users", "-", "-n", "2", "--format", layout]
    batch = "3\nzoe\n5\nanna\n"
    refused = run("recommend", small_model, *users, given=batch)
    options = [*users, "--filter-items", tmp_path / "never", "--unknown"]
    skipped = run("recommend", small_model, *options, "skip", given=batch)
    popular = run("recommend", small_model, *options, "popular", given=batch)

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: unknown user: 'zoe', 'anna'; the model knows the 8")
    said = "1 unknown item of --filter-items left out: 'belt'\n"
    assert skipped.stderr == f"2 unknown users left out: 'zoe', 'anna'\n{said}"
    assert popular.stderr == f"2 unknown users given popular items: 'zoe', 'anna'\n{said}"
    if layout == "csv":
        assert table(skipped.stdout).user.tolist() == [3, 3, 5, 5]
        rows = table(popular.stdout)
        assert rows.user.tolist() == ["3", "3", "zoe", "zoe", "5", "5", "anna", "anna"]
        assert rows.source.tolist() == (["model"] * 2 + ["popular"] * 2) * 2
    else:
        lines = [json.loads(line) for line in popular.stdout.splitlines()]
        assert [line["user"] for line in lines] == [3, "zoe", 5, "anna"]
        assert [line["source"] for line in lines] == ["model", "popular"] * 2
        assert [len(line["items"]) for line in lines] == [2] * 4
        assert all("source" not in line for line in map(json.loads, skipped.stdout.splitlines()))


def test_fewer_candidates_than_items_asked_for(small_model: Path) -> None:
    ran = run("recommend", small_model, "-n", "9", "--candidates", "5")
    assert (ran.exit_code, ran.stderr) == (2, "error: candidates: expected n = 9 or more, got 5\n")


def test_users_by_their_history(small_model: Path, tmp_path: Path) -> None:
    table_of_new = tmp_path / "new.csv"
    table_of_new.write_text("user,item\nzoe,3\nzoe,4\n3,7\nben,belt\n")
    options = ["--history", table_of_new, "-n", "2"]
    refused = run("recommend", small_model, *options)
    skipped = run("recommend", small_model, *options, "--unknown", "skip")
    popular = run("recommend", small_model, *options, "--unknown", "popular", "--format", "jsonl")

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: histories: unknown item: 'belt'; the model knows")
    assert skipped.stderr == (
        "1 user without a known item left out: 'ben'\n"
        "1 unknown item of --history left out: 'belt'\n"
    )
    expected = HashGNN.load(small_model).recommend(histories={3: [7], "zoe": [3, 4]}, n=2)
    pd.testing.assert_frame_equal(
        table(skipped.stdout).astype({"user": str}),
        expected.astype({"user": str}),
        check_dtype=False,
        rtol=1e-5,
    )
    lines = {line["user"]: line for line in map(json.loads, popular.stdout.splitlines())}
    assert {user: line["source"] for user, line in lines.items()} == {
        "zoe": "model",
        3: "model",
        "ben": "popular",
    }
    both = run("recommend", small_model, *options, "--user", "3")
    assert both.stderr == "error: --history names the users itself; leave out --user and --users\n"
