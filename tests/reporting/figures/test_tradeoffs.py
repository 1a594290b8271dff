"""Figures 8 and 9, drawn by their command line from results made by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hashgnn.evaluation.time_queries import COLUMNS

MODELS = ("own", "mf", "pq")
SETTINGS = {
    "models": [["own", "Own"], ["mf", "MF"], ["pq", "MF, PQ"]],
    "continuous": ["mf", "pq"],
    "quantized": {"pq": ["mf", {"quantizer": "pq"}]},
    "runs": [["d", model, bits, 0] for model in MODELS for bits in (32, 64)],
}
SHOWN = {"own": ("hamming", "continuous"), "mf": ("continuous",), "pq": ("decoded",)}


@pytest.fixture
def inputs(evaluated: Any, tmp_path: Path) -> dict[str, list[Path]]:
    """Files of trainings; a query takes as many microseconds as a code has bits, ten times as many
    among a million items; one round of three was disturbed."""
    made: dict[str, list[Path]] = {"metrics": [], "vectors": [], "times": []}
    for _, model, bits, _ in SETTINGS["runs"]:
        made["metrics"].append(evaluated(model, bits=bits, more=bits / 1000))
        made["vectors"].append(tmp_path / f"{model}.{bits}.npy")
        np.save(made["vectors"][-1], np.zeros((3, bits), np.float32))
        rows = [
            ("d", model, bits, 0, search, items, 70, 5, 9, 1, number, time, 1.0)
            for search in SHOWN[model]
            for items, times in ((300, (bits, bits, 99e9)), (10**6, (bits * 10,) * 3))
            for number, time in enumerate(times)
        ]
        made["times"].append(tmp_path / f"{model}.{bits}.times.csv")
        pd.DataFrame(rows, columns=COLUMNS).to_csv(made["times"][-1], index=False)
    return made


def test_figure_8_has_a_curve_a_method_and_search(inputs: dict[str, list[Path]], draw: Any) -> None:
    numbers, made = draw("fig8", inputs["metrics"] + inputs["vectors"], **SETTINGS)

    shown = numbers[["model", "search", "bytes", "value"]].round(9).to_numpy().tolist()
    assert sorted(shown) == [
        ["mf", "continuous", 128, 0.482],
        ["mf", "continuous", 256, 0.514],
        ["own", "continuous", 128, 0.482],
        ["own", "continuous", 256, 0.514],
        ["own", "hamming", 4, 0.282],
        ["own", "hamming", 8, 0.314],
        ["pq", "decoded", 4, 0.482],
        ["pq", "decoded", 8, 0.514],
    ]
    text = made["svg"].decode()
    for label in ("Own, Hamming", "MF, floats", "MF, PQ, asymmetric, decoded", "Pareto front"):
        assert f"{label}<" in text
    assert "bytes an item<" in text


def test_figure_9_has_the_median_of_the_rounds_at_both_sizes(
    inputs: dict[str, list[Path]], draw: Any
) -> None:
    files = inputs["metrics"] + inputs["vectors"] + inputs["times"]

    numbers, made = draw("fig9", files, **SETTINGS)

    chosen = numbers[numbers.model == "own"]
    found = chosen.set_index(["search", "bits", "items"]).microseconds.to_dict()
    assert found == {
        (search, bits, items): bits * (10 if items == 10**6 else 1)
        for search in SHOWN["own"]
        for bits in (32, 64)
        for items in (300, 10**6)
    }
    text = made["svg"].decode()
    assert "mathdefault" not in text  # formulas are not parsed
    for label in ("300 items", "1,000,000 items", "microseconds a query, one thread"):
        assert f"{label}<" in text


def test_figure_10_has_what_others_report_beside_each_search(
    inputs: dict[str, list[Path]], draw: Any
) -> None:
    reported = {"ndcg": 0.1, "bytes_per_item": 108, "source": "logs"}
    published = {
        "d": [
            {"method": "Theirs", "recall": 0.3, "epoch_chosen_on": "test", **reported},
            {"method": "Others'", "recall": 0.4, "epoch_chosen_on": "unknown", **reported},
            {"method": "No recall", "epoch_chosen_on": "test", **reported},
        ]
    }

    files = inputs["metrics"][:4]  # of own and mf
    numbers, made = draw("fig10", files, **SETTINGS, published=published)

    shown = numbers[["model", "side", "bytes", "value"]].round(9).to_numpy().tolist()
    assert sorted(shown) == [
        ["Others'", "published", 108, 0.4],
        ["Theirs", "published", 108, 0.3],
        ["mf", "vectors", 128, 0.332],
        ["mf", "vectors", 256, 0.364],
        ["own", "codes", 4, 0.132],
        ["own", "codes", 8, 0.164],
        ["own", "vectors", 128, 0.332],
        ["own", "vectors", 256, 0.364],
    ]
    text = made["svg"].decode()
    for label in ("Own, Hamming", "MF, floats", "published", "published, best on test"):
        assert f"{label}<" in text
    assert "Theirs<" in text
    assert "No recall<" not in text
