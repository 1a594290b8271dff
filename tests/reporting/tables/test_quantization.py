import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting.tables.quantization import make_quantization, measure, print_quantization

SETTINGS = {
    "datasets": [["d", "Data"]],
    "models": [["own", "Own"], ["mf", "MF"], ["mf_a", "MF, a"], ["mf_b", "MF, b"]],
    "continuous": ["mf", "mf_b"],
    "quantized": {
        "mf_a": ["mf", {"quantizer": "itq"}],
        "mf_b": ["mf", {"quantizer": "rabitq"}],
    },
    "runs": [["d", model, 12, 0] for model in ("own", "mf", "mf_a", "mf_b")],
}
FRAME = pd.DataFrame(
    [
        ("d", model, 12, search, metric, n, 0, value + bonus)
        for model, value in (("own", 0.1), ("mf", 0.2), ("mf_a", 0.3), ("mf_b", 0.4))
        for search, bonus in (("hamming", 0.01), ("continuous", 0.02), ("asymmetric", 0.03))
        for metric in ("hr", "ndcg")
        for n in (20, 50)
    ],
    columns=COLUMNS,
)
WIDTHS = {("d", model, 12): 12 for model in ("own", "mf", "mf_a", "mf_b")}


def test_every_search_stands_at_the_bytes_that_it_keeps() -> None:
    found = measure(FRAME, WIDTHS, SETTINGS)

    shown = found[["bytes", "model", "search", "quantizer", "mean"]].to_numpy().tolist()
    assert sorted(shown) == [
        [2, "mf_a", "asymmetric", "itq", pytest.approx(0.33)],
        [2, "mf_a", "hamming", "itq", pytest.approx(0.31)],
        [2, "own", "asymmetric", "", pytest.approx(0.13)],
        [2, "own", "hamming", "", pytest.approx(0.11)],
        [10, "mf_b", "decoded", "rabitq", pytest.approx(0.42)],  # two floats beside the code
        [48, "mf", "continuous", "", pytest.approx(0.22)],
        [48, "own", "continuous", "", pytest.approx(0.12)],
    ]
    assert found.bytes.is_monotonic_increasing


def test_the_printed_table() -> None:
    found = measure(FRAME[FRAME.model == "mf_b"], WIDTHS, SETTINGS)

    printed = print_quantization(found, {"d": "Data"}, {"mf_b": "MF, b"})

    assert printed.to_dict("records") == [
        {
            "Dataset": "Data",
            "Bytes an item": "10",
            "Method": "MF, b",
            "Search": "asymmetric, decoded",
            "HR@50": "0.4200",
        }
    ]


def test_dimensions_are_those_of_the_files(tmp_path: Path) -> None:
    inputs = []
    for model in ("own", "mf", "mf_a", "mf_b"):
        inputs.append(tmp_path / f"{model}.csv")
        FRAME[FRAME.model == model].to_csv(inputs[-1], index=False)
    for model, width in (("own", 7), ("mf", 5), ("mf_a", 12), ("mf_b", 6)):
        inputs.append(tmp_path / f"{model}.npy")
        np.save(inputs[-1], np.zeros((3, width), np.float32))

    numbers, _ = make_quantization(argparse.Namespace(inputs=inputs, settings=SETTINGS))

    floats = numbers[numbers.search == "continuous"].set_index("model").bytes
    assert floats.to_dict() == {"own": 28, "mf": 20}
