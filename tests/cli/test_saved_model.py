"""Exports of a model and the facts about it."""

import dataclasses
import errno
import json
import os
import socket
from pathlib import Path

import faiss
import numpy as np
import pyarrow.parquet as pq
import pytest

from hashgnn import HashGNN
from hashgnn.recommender.folder import load_model
from hashgnn.search import Index
from tests.helpers import run_hashgnn as run
from tests.recommender.conftest import GROUPS, ITEMS, SMALL


def test_faiss_loads_the_export_and_finds_the_same_neighbours(folder: Path, tmp_path: Path) -> None:
    ran = run("export", folder, "--output", tmp_path, "--format", "faiss", "--format", "numpy")
    assert ran.exit_code == 0, ran.output

    peer = faiss.read_index_binary(str(tmp_path / "items.faiss"))
    codes = np.load(tmp_path / "user_codes.npy")
    ids = np.load(tmp_path / "item_ids.npy")
    distances, rows = peer.search(codes, 15)

    model = load_model(folder)
    mine, expected = model.index.hamming(np.asarray(model.users.codes), 15)
    np.testing.assert_array_equal(distances, expected)
    for user, distance in enumerate(distances):
        inside = distance < distance[-1]  # the last level is cut, each in its own way
        theirs = set(ids[rows[user][inside]])
        assert theirs == set(model.item_ids.at(mine[user][inside]))


def test_the_exported_index_is_mapped_into_memory_and_answers_alike(
    folder: Path, tmp_path: Path
) -> None:
    assert run("export", folder, "--output", tmp_path, "--format", "index").exit_code == 0

    index, model = Index.load(tmp_path / "index"), load_model(folder)
    assert isinstance(index.planes, np.memmap)
    wanted = model.users.rows(np.array([0, 7]))
    for mine, expected in zip(
        index.hierarchical(*wanted, k=5), model.index.hierarchical(*wanted, k=5), strict=True
    ):
        np.testing.assert_array_equal(mine, expected)
    ids = np.load(tmp_path / "item_ids.npy")
    np.testing.assert_array_equal(ids, model.item_ids.at(np.arange(len(index))))


def test_parquet_and_numpy_hold_the_same(folder: Path, tmp_path: Path) -> None:
    assert run("export", folder, "--output", tmp_path).exit_code == 0

    for side in ("user", "item"):
        table = pq.read_table(tmp_path / f"{side}s.parquet")
        arrays = {kind: np.load(tmp_path / f"{side}_{kind}.npy") for kind in ("ids", "codes")}
        assert table["id"].to_pylist() == arrays["ids"].tolist()
        assert b"".join(table["code"].to_pylist()) == arrays["codes"].tobytes()
        vectors = np.array(table["vector"].to_pylist(), np.float32)
        np.testing.assert_array_equal(vectors, np.load(tmp_path / f"{side}_vectors.npy"))


def test_a_port_in_use_is_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = run("serve", folder, "--port", port)
    assert ran.exit_code == 1
    assert ran.stderr == (
        f"error: 127.0.0.1:{port}: Address already in use; choose another --port\n"
    )


def test_info_tells_how_a_model_came_to_be(folder: Path) -> None:
    facts = json.loads(run("info", folder, "--json").stdout)

    assert facts["data set"] == "clicks.csv"
    assert (facts["method"], facts["name"]) == ("hashgnn", "HashGNN")
    assert (facts["bits"], facts["users"], facts["items"]) == (32, 300, GROUPS * ITEMS)
    assert 1 <= facts["best epoch"] <= SMALL["epochs"]
    assert 0.5 < facts["validation HR@50"] <= 1
    assert facts["versions"]["numpy"] == np.__version__
    text = run("info", folder).stdout
    assert "\nusers             300\n" in text
    assert "item_codes.npy 528" in text  # 100 codes of 4 bytes and a header of 128


def test_info_calls_a_recall_unknown_that_was_not_measured(folder: Path, tmp_path: Path) -> None:
    made = HashGNN.load(folder)
    record = {**made.model_.record, "validation_hr": float("nan")}
    made.model_ = dataclasses.replace(made.model_, record=record)
    made.save(tmp_path)

    assert json.loads(run("info", tmp_path, "--json").stdout)["validation HR@50"] is None
    assert "\nvalidation HR@50  unknown\n" in run("info", tmp_path).stdout


def test_an_export_replaces_another_as_a_whole(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids of one model beside the index of another would answer, and wrongly."""
    assert run("export", folder, "--output", tmp_path, "--format", "index").exit_code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    Index.load(tmp_path / "index")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "index")

    monkeypatch.setattr(Index, "save", full)
    ran = run("export", folder, "--output", tmp_path, "--format", "index")
    assert (ran.exit_code, ran.stderr) == (1, "error: index: No space left on device\n")
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.fixture
def other(folder: Path, tmp_path: Path) -> Path:
    """A model of the same items whose record differs."""
    made = HashGNN.load(folder)
    model = made.model_
    made.model_ = dataclasses.replace(model, record={**model.record, "seconds": 0.0})
    made.save(tmp_path / "other")
    return tmp_path / "other"


def test_exports_of_one_model_stand_beside_each_other_and_no_others(
    folder: Path, other: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for name in ("index", "parquet"):
        assert run("export", folder, "--output", out, "--format", name).exit_code == 0
    assert {"index", "item_ids.npy", "items.parquet"} < {path.name for path in out.iterdir()}

    assert run("export", other, "--output", out, "--format", "parquet").exit_code == 0

    left = {path.name for path in out.rglob("*") if path.is_file() and path.name[0] != "."}
    assert left == {"export.json", "items.parquet", "users.parquet"}


def test_no_export_goes_into_a_model(folder: Path) -> None:
    ran = run("export", folder, "--output", folder, "--format", "parquet")
    assert ran.exit_code == 2
    assert ran.stderr == f"error: {folder}: holds a model; choose another folder for the export\n"
