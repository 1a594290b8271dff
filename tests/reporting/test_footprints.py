"""The bytes that each search keeps of an item, and the Pareto front."""

import pandas as pd
import pytest

from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting.footprints import footprints, front

SETTINGS = {
    "continuous": ["mf", "mf_b"],
    "quantized": {
        "mf_a": ["mf", {"quantizer": "itq"}],
        "mf_b": ["mf", {"quantizer": "rabitq"}],
    },
}
BONUSES = {"hamming": 0.01, "continuous": 0.02, "asymmetric": 0.03, "asymmetric re-rank": 0.04}
FRAME = pd.DataFrame(
    [
        ("d", model, 12, search, metric, n, 0, value + bonus)
        for model, value in (("own", 0.1), ("mf", 0.2), ("mf_a", 0.3), ("mf_b", 0.4))
        for search, bonus in BONUSES.items()
        for metric in ("hr", "ndcg")
        for n in (20, 50)
    ],
    columns=COLUMNS,
)
WIDTHS = {("d", model, 12): 12 for model in ("own", "mf", "mf_a", "mf_b")}


def test_every_search_stands_at_the_bytes_that_it_keeps() -> None:
    found = footprints(FRAME, WIDTHS, SETTINGS)

    shown = found[["bytes", "model", "search", "quantizer", "value"]].to_numpy().tolist()
    assert sorted(shown) == [
        [2, "mf_a", "asymmetric", "itq", pytest.approx(0.33)],
        [2, "mf_a", "asymmetric re-rank", "itq", pytest.approx(0.34)],
        [2, "mf_a", "hamming", "itq", pytest.approx(0.31)],
        [2, "own", "asymmetric", "", pytest.approx(0.13)],
        [2, "own", "asymmetric re-rank", "", pytest.approx(0.14)],
        [2, "own", "hamming", "", pytest.approx(0.11)],
        [10, "mf_b", "decoded", "rabitq", pytest.approx(0.42)],  # two floats beside the code
        [48, "mf", "continuous", "", pytest.approx(0.22)],
        [48, "own", "continuous", "", pytest.approx(0.12)],
    ]
    assert found.bytes.is_monotonic_increasing


def test_the_front_by_hand() -> None:
    points = pd.DataFrame(
        [(4, 0.2), (4, 0.3), (2, 0.1), (8, 0.3), (16, 0.25), (32, 0.4)], columns=["x", "y"]
    )

    assert front(points, "x", "y").to_numpy().tolist() == [[2, 0.1], [4, 0.3], [32, 0.4]]
