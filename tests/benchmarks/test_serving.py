"""The serving benchmark at tiny sizes, and its table."""

import json
from pathlib import Path

import pytest

pytest.importorskip("faiss")

from benchmarks import serving, serving_table
from benchmarks.serving_measure import SERVERS

TINY = ["--items", "600", "--bits", "16", "--threads", "1", "--queries", "3", "--batch", "20"]


def test_every_search_is_served_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serving.main([*TINY, "--output", str(tmp_path)])

    rows = json.loads((tmp_path / "serving.json").read_text())
    assert [row["search"] for row in rows] == list(SERVERS)
    for row in rows:
        assert 0 < row["p50_ms"] <= row["p99_ms"]
        assert row["queries_a_second"] > 0
    page = tmp_path / "page.md"
    page.write_text(f"before\n{serving_table._BEGIN}old\n{serving_table._END}\nafter\n")
    serving_table.main(["--json", str(tmp_path / "serving.json"), "--into", str(page)])
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert all(f"| {search}" in text or f" {search} " in text for search in SERVERS)
