"""The HTTP service: answers, limits, errors, metrics, and new models while it serves."""

import logging
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from hashgnn import HashGNN
from hashgnn.errors import InputError
from hashgnn.recommender.folder import LiveModel
from hashgnn.recommender.service import Limits, create_app

LOG = logging.getLogger("tests.service")
LIMITS = Limits(body=2000, users=5, n=30, candidates=200)


def fitted(prefix: str = "u", users: int = 40) -> HashGNN:
    items = [(7 * n + n // 6) % 60 for n in range(6 * users)]
    named = [f"{prefix}{n // 6}" for n in range(6 * users)]
    return HashGNN(16, method="puresvd").fit((named, items))


@pytest.fixture(scope="module")
def model() -> HashGNN:
    return fitted()


@pytest.fixture(scope="module")
def other() -> HashGNN:
    return fitted("v", 30)


@pytest.fixture
def live(model: HashGNN, tmp_path: Path) -> LiveModel:
    model.save(tmp_path / "model")
    return LiveModel(tmp_path / "model", LOG)


@pytest.fixture
def client(live: LiveModel) -> Iterator[TestClient]:
    # Looks for a new model when the tests say so.
    with TestClient(create_app(live, LIMITS, 3600, LOG), raise_server_exceptions=False) as client:
        yield client


def table(rows: list[dict[str, Any]], first: str, second: str) -> pd.DataFrame:
    """An answer as the table that the Python interface returns."""
    lines = [
        (row[first], id_, rank, score)
        for row in rows
        for rank, (id_, score) in enumerate(zip(row[second], row["scores"], strict=True), start=1)
    ]
    return pd.DataFrame(
        lines, columns=[first, {"items": "item"}.get(second, second), "rank", "score"]
    )


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        found, expected[found.columns].reset_index(drop=True), check_dtype=False, rtol=1e-6
    )


@pytest.mark.parametrize(
    "query",
    [
        {"users": ["u1", "u7"], "n": 5},
        {"users": ["u3"], "search": "hamming", "exclude_known": False},
        {"users": ["u3", "u4"], "items": {"u3": [1, 2, 3], "u4": ["9"]}, "search": "continuous"},
        {"users": ["u3"], "filter_items": list(range(50)), "candidates": 40},
        {"histories": {"zoe": [1, 2, 3], "yan": ["4"]}, "n": 3},
        {"users": ["u1", "zoe"], "unknown": "skip"},
    ],
)
def test_answers_are_those_of_the_model(
    client: TestClient, model: HashGNN, query: dict[str, Any]
) -> None:
    answer = client.post("/recommend", json=query)

    assert answer.status_code == 200, answer.text
    same(table(answer.json()["users"], "user", "items"), model.recommend(**query))


def test_an_unknown_user_may_get_popular_items(client: TestClient, model: HashGNN) -> None:
    answer = client.get("/recommend?user=u1&user=zoe&n=2&unknown=popular").json()["users"]

    expected = model.recommend(["u1", "zoe"], 2, unknown="popular")
    same(table(answer, "user", "items"), expected)
    assert [row["source"] for row in answer] == ["model", "popular"]


def test_a_user_for_whom_nothing_is_left_has_an_empty_list(client: TestClient) -> None:
    query = {"users": ["u1", "u2"], "items": {"u1": [], "u2": [1]}, "exclude_known": False}
    rows = client.post("/recommend", json=query).json()["users"]

    assert rows[0] == {"user": "u1", "items": [], "scores": []}
    assert rows[1]["items"] == [1]


def test_similar_items_and_users(client: TestClient, model: HashGNN) -> None:
    items = client.post("/similar/items", json={"ids": [3, "5"], "n": 4, "filter_items": [7]})
    same(
        table(items.json()["items"], "item", "similar"),
        model.similar_items([3, 5], 4, filter_items=[7]),
    )
    users = client.get("/similar/users?id=u4&n=3&search=hamming").json()["users"]
    same(table(users, "user", "similar"), model.similar_users("u4", 3, search="hamming"))
    again = client.get("/similar/items?id=3&n=4").json()["items"]
    same(table(again, "item", "similar"), model.similar_items(3, 4))


def test_nobody_has_no_neighbors(client: TestClient) -> None:
    asked = {"ids": ["nothing", "none"], "unknown": "skip"}

    assert client.post("/similar/items", json=asked).json() == {"items": []}


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"users": ["nobody"]}, "users", "unknown user: 'nobody'; the model knows the 40 users"),
        ({"users": ["u1"], "n": 31}, "n", "n: expected 1 to 30, got 31"),
        ({"users": ["u1"], "n": 0}, "n", "n: expected 1 to 30, got 0"),
        ({"users": ["u1"], "n": "5"}, "n", "n: Input should be a valid integer, got '5'"),
        ({"users": ["u1"] * 6}, "users", "users: expected a list of 1 to 5, got 6"),
        ({"users": []}, "users", "users: expected a list of 1 to 5, got 0"),
        ({}, "users", "users: give either users or histories"),
        ({"users": ["u1"], "histories": {}}, "users", "users: give either users or histories"),
        ({"histories": {"z": []}}, "histories", "histories: empty for user 'z'; give each"),
        ({"histories": {"z": [99]}}, "histories", "histories: unknown item: '99'"),
        (
            {"users": ["u1"], "serach": "hamming"},
            "serach",
            "serach: unknown key; did you mean search?; known: n, search, candidates, un",
        ),
        ({"users": ["u1"], "search": "fast"}, "search", "search: expected one of 'hierarchical'"),
        ({"users": ["u1"], "candidates": 201}, "candidates", "candidates: expected 1 to 200"),
        ({"users": ["u1"], "candidates": 3}, "candidates", "candidates: expected n = 10 or more"),
        ({"users": ["u1"], "items": {"u2": [1]}}, "items", "items: no list for user 'u1'"),
        ({"users": ["u1"], "filter_items": [99]}, "filter_items", "filter_items: unknown item"),
        ({"users": [1.5]}, "users", "users: Input should be a valid string, got 1.5"),
        ({"users": [True]}, "users", "users: Input should be a valid string, got True"),
        ([1], "body", "body: Input should be"),
    ],
)
def test_a_bad_request_gets_one_error_that_names_the_field(
    client: TestClient, query: Any, field: str, message: str
) -> None:
    answer = client.post("/recommend", json=query)

    assert answer.status_code == 422
    assert answer.json().keys() == {"error"}
    assert answer.json()["error"]["field"] == field
    assert answer.json()["error"]["message"].startswith(message)
    assert "\n" not in answer.json()["error"]["message"]


def test_other_bad_requests(client: TestClient) -> None:
    def error(answer: Any) -> tuple[int, str]:
        return answer.status_code, answer.json()["error"]["field"]

    assert error(client.post("/recommend", content=b"{")) == (422, "body")
    assert error(client.post("/recommend", content=b"\xff\xfe")) == (422, "body")
    as_json = {"Content-Type": "application/json"}
    surrogate = client.post("/recommend", content=b'{"users": ["\\ud800"]}', headers=as_json)
    assert error(surrogate) == (422, "users")
    assert error(client.post("/recommend")) == (422, "body")
    assert error(client.get("/recommend?user=u1&n=ten")) == (422, "n")
    assert error(client.get("/recommend")) == (422, "users")
    assert error(client.post("/similar/items", json={"ids": [99]})) == (422, "ids")
    assert error(client.post("/similar/users", json={"ids": ["zoe"]})) == (422, "ids")
    assert error(client.post("/similar/users", json={"ids": ["u1"], "filter_items": [1]})) == (
        422,
        "filter_items",
    )
    assert error(client.get("/elsewhere")) == (404, "path")
    assert error(client.delete("/recommend")) == (405, "path")


@pytest.mark.parametrize(
    ("path", "field", "message"),
    [
        ("/recommend?usr=u1", "usr", "usr: unknown key; did you mean user?; known: user, n, sear"),
        ("/recommend?user=u1&candidates=9", "candidates", "candidates: unknown key; known: user"),
        ("/similar/items?id=3&N=4", "N", "N: unknown key; known: id, n, search"),
        ("/similar/users?id=u4&=4", "", ": unknown key; known: id, n, search"),
    ],
)
def test_unknown_keys_of_an_address_are_refused(
    client: TestClient, path: str, field: str, message: str
) -> None:
    answer = client.get(path)

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field
    assert answer.json()["error"]["message"].startswith(message)


def test_a_post_takes_no_keys_in_its_address(client: TestClient) -> None:
    answer = client.post("/recommend?n=5", json={"users": ["u1"]})

    assert answer.status_code == 422
    message = "n: unknown key; a POST takes its arguments in the body"
    assert answer.json()["error"] == {"field": "n", "message": message}


@pytest.mark.parametrize(
    "query",
    [
        {"users": ["x" * 1900]},
        {"histories": {"x" * 1900: []}},
        {"users": ["u1"], "items": {"x" * 1900: [1]}},
        {"users": ["u1"], "filter_items": ["x" * 1900]},
        {"users": ["u1"], "search": "x" * 1900},
        {"users": ["u1"], "n": "x" * 1900},
        {"users": ["u1"], "x" * 1900: 1},
    ],
)
def test_errors_repeat_little_of_what_was_sent(client: TestClient, query: dict[str, Any]) -> None:
    answer = client.post("/recommend", json=query)

    assert answer.status_code == 422
    assert len(answer.text) < 1000
    message = answer.json()["error"]["message"]
    assert "x" * 1900 not in message
    assert len(client.get("/recommend", params={"x" * 1900: 1}).text) < 1000


def test_the_end_of_a_long_error_says_what_to_do(client: TestClient) -> None:
    message = client.post("/recommend", json={"users": ["x" * 1900]}).json()["error"]["message"]

    assert message.startswith("unknown user: 'xxx")
    assert message.endswith("such as 'u0'")


def test_bodies_are_bounded_announced_or_not(client: TestClient) -> None:
    large = b'{"users": ["' + b"x" * LIMITS.body + b'"]}'
    announced = client.post("/recommend", content=large)
    streamed = client.post("/recommend", content=(large[n : n + 100] for n in range(0, 3000, 100)))

    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert answer.json()["error"] == {
            "field": "body",
            "message": "body: expected 2,000 bytes or fewer",
        }


def test_no_request_opens_a_file(client: TestClient) -> None:
    opened: list[str] = []
    client.get("/recommend?user=u1")  # compiled and imported by now
    watching = [True]
    sys.addaudithook(  # stays until the process ends
        lambda event, args: opened.append(str(args[0])) if event == "open" and watching else None
    )
    for name in ("../../etc/passwd", "/etc/passwd", "model", "users.csv", "a\x00b"):
        for query in ({"users": [name]}, {"users": ["u1"], "items": [name]}):
            assert client.post("/recommend", json=query).status_code == 422
        assert client.get("/recommend", params={"user": name}).status_code == 422
        assert client.get(f"/{quote(name, safe='')}").status_code == 404
    watching.clear()

    assert opened == []


def test_health_and_metrics(client: TestClient) -> None:
    client.get("/recommend?user=u1")
    client.get("/recommend?user=nobody")
    client.get("/elsewhere")

    assert client.get("/health").json() == {
        **{"status": "ok", "method": "puresvd", "users": 40, "items": 60},
        **{"bits": 16, "replaced": 0, "refused": 0},
    }
    lines = client.get("/metrics").text.splitlines()
    for line in (
        'hashgnn_requests_total{path="/recommend",status="200"} 1.0',
        'hashgnn_requests_total{path="/recommend",status="422"} 1.0',
        'hashgnn_requests_total{path="other",status="404"} 1.0',
        'hashgnn_seconds_count{path="/recommend"} 2.0',
        "hashgnn_items 60.0",
        "hashgnn_models_replaced 0.0",
    ):
        assert line in lines


def test_a_new_model_takes_over_once_its_files_rest(
    client: TestClient, live: LiveModel, other: HashGNN
) -> None:
    before = live.model
    assert not live.refresh()
    other.save(live.folder)

    assert not live.refresh()  # the files have changed since the last look
    assert client.get("/recommend?user=u1").status_code == 200
    assert live.refresh()
    assert not live.refresh()

    assert client.get("/recommend?user=u1").status_code == 422
    same(
        table(client.get("/recommend?user=v1").json()["users"], "user", "items"),
        other.recommend("v1"),
    )
    assert client.get("/health").json()["replaced"] == 1
    assert len(before.recommend("u2")) == 10  # a request that began earlier


@pytest.mark.parametrize("damage", ["cut short", "a file missing", "gone"])
def test_a_broken_model_is_refused_and_the_old_one_stays(
    client: TestClient,
    live: LiveModel,
    other: HashGNN,
    damage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    codes = live.folder / "item_codes.npy"
    if damage == "gone":
        shutil.rmtree(live.folder)
    else:
        other.save(live.folder)
        whole = codes.read_bytes()
        codes.unlink()
        if damage == "cut short":
            codes.write_bytes(whole[:-5])
    for _ in range(4):
        assert not live.refresh()

    lines = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(lines) == 1
    assert str(live.folder) in lines[0]
    assert lines[0].endswith("; the model before is still served")
    assert client.get("/recommend?user=u1").status_code == 200
    assert client.get("/health").json()["refused"] == 1
    other.save(live.folder)  # and a whole one is taken
    assert [live.refresh(), live.refresh()] == [False, True]


def test_a_folder_without_a_model_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a result folder"):
        LiveModel(tmp_path, LOG)


def test_a_link_that_is_switched_is_another_model(
    model: HashGNN, other: HashGNN, tmp_path: Path
) -> None:
    model.save(tmp_path / "monday")
    other.save(tmp_path / "tuesday")
    (tmp_path / "current").symlink_to("monday")
    live = LiveModel(tmp_path / "current", LOG)
    (tmp_path / "next").symlink_to("tuesday")
    (tmp_path / "next").replace(tmp_path / "current")

    assert [live.refresh(), live.refresh()] == [False, True]
    assert str(live.model.user_ids.text[0]) == "v0"
