"""Figures 8 and 9, drawn by their command line from results made by hand."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from hashgnn.evaluation.time_queries import COLUMNS
from hashgnn.reporting.figures.style import use_style
from hashgnn.reporting.figures.tradeoffs import make_fig8

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


def test_figure_8_of_one_length_has_a_step_for_each_search(evaluated: Any, tmp_path: Path) -> None:
    use_style()
    runs = [["d", model, 32, seed] for model in MODELS for seed in (0, 1)]
    metrics = [evaluated(model, seed) for _, model, _, seed in runs]
    np.save(tmp_path / "vectors.npy", np.zeros((3, 32), np.float32))
    looks = {"own": ["#ff0000", "o"], "mf": ["#00ff00", "s"], "pq": ["#0000ff", "D"]}
    settings = SETTINGS | {"datasets": [["d", "Data"]], "runs": runs, "looks": looks}
    inputs = metrics + [tmp_path / "vectors.npy"] * len(runs)

    figure, _ = make_fig8(Namespace(inputs=inputs, settings=settings))

    (panel,) = figure.axes
    ticks = [label.get_text() for label in panel.get_xticklabels()]
    assert ticks == ["4\nHamming", "4\nasymmetric, decoded", "128\nfloats"]
    points = {
        line.get_color(): np.asarray(line.get_xydata()).round(9).tolist()
        for line in panel.get_lines()
    }
    assert points == {
        "#ff0000": [[0, 0.3], [2, 0.5]],
        "#00ff00": [[2, 0.5]],
        "#0000ff": [[1, 0.5]],
    }
    half = 0.05 * 12.706204736174698  # the standard error of two seeds and t(0.975; 1)
    whiskers = panel.collections[0]
    assert isinstance(whiskers, LineCollection)
    (whisker, *_) = whiskers.get_segments()
    assert whisker[:, 1].tolist() == pytest.approx([0.3 - half, 0.3 + half])


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
