"""The serving benchmark at tiny sizes, and its table."""

import json
from argparse import Namespace
from pathlib import Path

import pytest

pytest.importorskip("faiss")

from benchmarks import serving, serving_table
from benchmarks.serving_measure import SERVERS, serve

ITEMS, BITS = 600, 32
NUMBERS = {"threads": 1, "k": 100, "queries": 3, "batch": 20}
ALONE = ("hierarchical, 500 candidates", "FAISS IndexFlatIP")  # a process takes seconds


def options(folder: Path) -> list[str]:
    numbers = {"items": ITEMS, "bits": BITS, **NUMBERS}
    return [*(f"--{name}={value}" for name, value in numbers.items()), f"--output={folder}"]


def test_searches_are_served_by_processes_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "SERVERS", ALONE)
    serving.main(options(tmp_path))

    rows = json.loads((tmp_path / "serving.json").read_text())
    assert [row["search"] for row in rows] == list(ALONE)
    for row in rows:
        assert (row["items"], row["bits"]) == (ITEMS, BITS)
        assert row.items() >= {"threads": 1, "k": 100}.items()
        assert 0 < row["p50_ms"] <= row["p99_ms"]
        assert row["queries_a_second"] > 0
    page = tmp_path / "page.md"
    page.write_text(f"before\n{serving_table._BEGIN}old\n{serving_table._END}\nafter\n")
    serving_table.main(["--json", str(tmp_path / "serving.json"), "--into", str(page)])
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert all(f" {search} " in text for search in ALONE)


def test_every_search_is_served(tmp_path: Path) -> None:
    serving.write(tmp_path, ITEMS, BITS)

    for server in SERVERS:
        row = serve(Namespace(server=server, folder=tmp_path, **NUMBERS))
        assert 0 < row["p50_ms"] <= row["p99_ms"], server
        assert row["queries_a_second"] > 0, server
