"""The benchmark of asymmetric search at a tiny size: its rows, and its table on a page."""

import json
from pathlib import Path

import pytest

pytest.importorskip("usearch")

from benchmarks import asymmetric

pytestmark = pytest.mark.usefixtures("quick")


def test_all_searches_stand_side_by_side(tmp_path: Path) -> None:
    asymmetric.main(["--items", "1000", "--k", "10", "--output", str(tmp_path)])

    rows = json.loads((tmp_path / "asymmetric.json").read_text())
    assert {row["search"]: row["bytes"] for row in rows} == {
        "Hamming": 4,
        "asymmetric, query of 4 bits": 4,
        "asymmetric, query of 8 bits": 4,
        "asymmetric, float query": 4,
        "continuous": 128,
        "FAISS PQ8x4fs": 4,
        "FAISS PQ4x8": 4,
        "FAISS RaBitQ": 12,
        "FAISS RaBitQ, fast scan": 12,
        "FAISS IndexFlatIP": 128,
    }
    assert rows[0]["times_hamming"] == 1
    assert (tmp_path / "asymmetric.provenance.json").exists()

    page = tmp_path / "page.md"
    page.write_text(
        "above\n<!-- times: make bench-asymmetric -->\nold\n<!-- end of times -->\nbelow"
    )
    for _ in range(2):
        asymmetric.main(["--output", str(tmp_path), "--into", str(page)])
    text = page.read_text()
    assert text.startswith("above\n")
    assert text.endswith("-->\nbelow")
    assert "old" not in text
    assert text.count("1,000 items, 32 bits or dimensions, top 10, 1 thread:") == 1
    assert text.count("| FAISS PQ8x4fs ") == 1
