import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.training_large import main


@pytest.mark.slow
def test_a_small_graph_goes_from_a_raw_file_to_codes(tmp_path: Path) -> None:
    size = ["--interactions", "20000", "--iterations", "3"]

    main([*size, "--folder", str(tmp_path / "data"), "--output", str(tmp_path)])

    rows = json.loads((tmp_path / "training_large.json").read_text())
    assert [row["stage"] for row in rows] == ["generate", "prepare", "split", "triplets", "train"]
    assert all(row["peak_mb"] > 0 for row in rows)
    users = (tmp_path / "data" / "users.csv").read_text().count("\n") - 1
    assert np.load(tmp_path / "data" / "codes.users.npy").shape == (users, 4)
