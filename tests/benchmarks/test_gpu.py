import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks import gpu, training_data
from benchmarks.gpu_table import BEGIN, END
from benchmarks.gpu_table import main as fill
from hashgnn.errors import InputError


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_data, "SIZES", {"movielens": (80, 60, 1000)})
    monkeypatch.setattr(gpu, "keep_freed_memory", lambda: None)
    monkeypatch.setattr(gpu, "ROUNDS", 2)
    monkeypatch.setattr(gpu, "SEEDS", (0,))
    monkeypatch.delitem(gpu.PEERS, "plain_torch")  # takes seconds
    monkeypatch.setattr(gpu, "WHOLE", {"epochs": 1})


def test_all_parts_go_through_without_a_gpu(tiny: None, tmp_path: Path) -> None:
    options = ["--device", "cpu", "--seconds", "0", "--epochs", "1"]
    gpu.main([*options, "--output", str(tmp_path)])

    rows = json.loads((tmp_path / "gpu.json").read_text())
    assert {row["dataset"] for row in rows} == {"movielens (generated)"}
    speeds = {(r["trained"], r["mixed"]) for r in rows if r.get("interactions_per_s", 0) > 0}
    assert speeds >= {(method, mixed) for method in gpu.METHODS for mixed in (False, True)}
    assert ("lightgcn_pytorch", False) in speeds
    # Without the library that PyTorch Geometric's loader needs, a row says so.
    loader = [row for row in rows if row.get("trained") == "pyg_loader"]
    assert loader
    assert all("interactions_per_s" in row or "pyg-lib" in row["skipped"] for row in loader)
    assert sum(row["part"] == "training" and row.get("whole", False) for row in rows) == 4
    assert sum(row["part"] == "training" and "whole" not in row for row in rows) == 6
    assert {row["engine"] for row in rows if row["part"] == "engine"} <= {"sampled", "full"}
    assert not any("skipped" in row for row in rows if row.get("trained") != "pyg_loader")

    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}old\n{END}after\n")
    fill(["--json", str(tmp_path / "gpu.json"), "--into", str(page)])
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}")
    assert text.endswith(f"{END}after\n")
    assert "| HashGNN+ |" in text.replace("  ", "")
    assert "old" not in text
    fill(["--json", str(tmp_path / "gpu.json"), "--into", str(page)])
    assert page.read_text() == text


def test_without_a_gpu_an_error_says_so(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(InputError, match="device cuda: "):
        gpu.main(["--output", str(tmp_path)])


def test_a_part_ends_in_time_and_keeps_its_rows() -> None:
    def rows() -> Iterator[gpu.Row]:
        yield {"a": 1}
        time.sleep(60)

    began = time.monotonic()
    made = list(gpu.limited(rows, 0.2, {"part": "p"}))

    assert time.monotonic() - began < 10
    assert made[0] == {"part": "p", "a": 1}
    assert made[1:] == [
        {"part": "p", "skipped": "the time of this part, 0 seconds, was over"},
    ]


def test_an_error_ends_the_part_alone() -> None:
    def rows() -> Iterator[gpu.Row]:
        yield {"a": 1}
        raise RuntimeError("out of memory\nmore")

    made = list(gpu.limited(rows, 5, {"part": "p"}))

    assert made == [{"part": "p", "a": 1}, {"part": "p", "skipped": "RuntimeError: out of memory"}]


def test_a_peer_that_fails_leaves_the_others() -> None:
    def missing() -> gpu.peers.Step:
        raise ImportError("needs something else")

    makers = {
        gpu.Key("missing", False, 8): missing,
        gpu.Key("there", False, 8): lambda: lambda: time.sleep(0.001),
    }

    rows = list(gpu.measured(makers, gpu.Run(torch.device("cpu"), {}, 0, 1)))

    assert rows[0]["skipped"] == "ImportError: needs something else"
    assert [row["trained"] for row in rows] == ["missing", "there"]
    assert 0 < rows[1]["interactions_per_s"] < 8000
