"""The load test at tiny sizes, and its table."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks import http_load


@pytest.mark.slow
def test_both_services_are_measured_and_shown(tmp_path: Path) -> None:
    if shutil.which("wrk") is None:
        pytest.skip("wrk is not installed: apt-get install wrk")
    sizes = ("--items", "600", "--users", "20", "--bits", "16", "--connections", "2")
    output = ("--seconds", "1", "--output", str(tmp_path))
    http_load.main([*sizes, *output])

    rows = json.loads((tmp_path / "http_load.json").read_text())
    assert [row["search"] for row in rows] == [*http_load._SEARCHES, "continuous"]
    for row in rows:
        assert row["failed"] == 0
        assert 0 < row["p50_ms"] <= row["p99_ms"]
        assert row["requests_a_second"] > 1
    page = tmp_path / "page.md"
    page.write_text(f"before\n{http_load._BEGIN}old\n{http_load._END}\nafter\n")
    http_load.main([*output, "--into", str(page)])
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| FAISS IndexFlatIP" in text
