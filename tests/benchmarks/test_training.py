import json
import sys
from pathlib import Path

import pytest

from benchmarks import training, training_data
from benchmarks.training_table import table

KEYS = {"engine", "peer", "dataset", "batch", "threads"}
KEYS |= {"edges_per_s", "peer_edges_per_s", "ratio", "peak_mb"}


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_a_tiny_case_goes_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_data, "SIZES", {"movielens": (80, 60, 1000)})
    monkeypatch.setattr(training, "keep_freed_memory", lambda: None)
    options = ["--only", "movielens", "--synthetic", "500", "--batches", "64", "--seconds", "0"]
    outputs = ["--output", str(tmp_path), "--figure", str(tmp_path / "training.svg")]
    arguments = ["training", *options, "--quality", "1", *outputs]
    monkeypatch.setattr(sys, "argv", arguments)

    training.main()

    rows = json.loads((tmp_path / "training.json").read_text())
    compared = [row for row in rows if "edges_per_s" in row]
    assert all(row.keys() >= KEYS for row in compared)
    assert {(row["engine"], row["peer"]) for row in compared} == {
        ("sampled", "torch_csr"),
        ("sampled", "lightgcn_pytorch"),
        ("full", "torch_csr"),
        ("full", "lightgcn_pytorch"),
        ("sampled", "sampled"),
    }
    assert sum("seconds_to_hr" in row for row in rows) == 1
    assert (tmp_path / "training.svg").stat().st_size > 1000
    assert table(rows).count("\n") == len(compared)  # two of the head; not ours alone
    monkeypatch.setattr(sys, "argv", [*arguments, "--resume"])
    monkeypatch.setattr(training, "compare", None)
    training.main()
    assert json.loads((tmp_path / "training.json").read_text()) == rows
