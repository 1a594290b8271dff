import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hashgnn.errors import InputError
from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting.tables.quantization import (
    compare,
    footprints,
    front,
    make_quantization,
    make_verdict,
    sentence,
)

MODELS = ("own", "mf", "mf_a", "mf_b")
SETTINGS = {
    "datasets": [["d", "Data"]],
    "models": [["own", "Own"], ["mf", "MF"], ["mf_a", "MF, a"], ["mf_b", "MF, b"]],
    "continuous": ["mf", "mf_b"],
    "quantized": {
        "mf_a": ["mf", {"quantizer": "itq"}],
        "mf_b": ["mf", {"quantizer": "pq"}],
    },
    "runs": [["d", model, 16, 0] for model in MODELS],
}
SEARCHES = ("hamming", "continuous", "asymmetric")


def written(folder: Path, model: str, values: dict[str, float]) -> Path:
    """The metrics of a training, by search."""
    rows = [
        ("d", model, 16, search, metric, n, 0, value)
        for search, value in values.items()
        for metric in ("hr", "ndcg")
        for n in (20, 50)
    ]
    path = folder / f"{model}.csv"
    pd.DataFrame(rows, columns=COLUMNS).to_csv(path, index=False)
    return path


def per_user(folder: Path, model: str, values: dict[str, list[float]]) -> Path:
    """HR@50 of each user, by search."""
    path = folder / f"{model}.npz"
    array = np.array(list(values.values()), np.float32)[:, None, None]
    np.savez(path, values=array, searches=list(values), metrics=["hr"], cutoffs=[50])
    return path


def vectors(folder: Path, model: str, width: int) -> Path:
    path = folder / f"{model}.npy"
    np.save(path, np.zeros((3, width), np.float32))
    return path


def test_the_table_has_the_bytes_of_the_files(tmp_path: Path) -> None:
    values = dict(zip(SEARCHES, (0.1, 0.2, 0.3), strict=True))
    inputs = [written(tmp_path, model, values) for model in MODELS]
    widths = dict(zip(MODELS, (7, 5, 16, 6), strict=True))
    inputs += [vectors(tmp_path, model, width) for model, width in widths.items()]

    numbers, printed = make_quantization(argparse.Namespace(inputs=inputs, settings=SETTINGS))

    floats = numbers[numbers.search == "continuous"].set_index("model").bytes
    assert floats.to_dict() == {"own": 28, "mf": 20}
    assert printed[printed.Method == "MF, b"].to_dict("records") == [
        {
            "Dataset": "Data",
            "Bytes an item": "2",
            "Method": "MF, b",
            "Search": "asymmetric, decoded",
            "HR@50": "0.2000",
        }
    ]


@pytest.fixture
def verdict(tmp_path: Path) -> Any:
    """The verdict on the methods' validation recall, and HR of four users by the best searches."""

    def make(own: list[float], quantized: list[float]) -> tuple[pd.DataFrame, pd.DataFrame]:
        best = {"own": (0.1, 0.9, 0.3), "mf": (0.9, 0.9, 0.9)}
        best |= {"mf_a": (0.2, 0.9, 0.4), "mf_b": (0.9, 0.5, 0.9)}
        inputs = [
            written(tmp_path, model, dict(zip(SEARCHES, best[model], strict=True)))
            for model in MODELS
        ]
        users = {"own": {"asymmetric": own}, "mf": {"continuous": own}}
        users |= {"mf_a": {"hamming": own}, "mf_b": {"continuous": quantized}}
        inputs += [per_user(tmp_path, model, users[model]) for model in MODELS]
        inputs += [vectors(tmp_path, model, 16) for model in MODELS]
        return make_verdict(argparse.Namespace(inputs=inputs, settings=SETTINGS))

    return make


def test_the_verdict_compares_what_is_best_on_validation_over_users(verdict: Any) -> None:
    numbers, printed = verdict([0.5, 0.6, np.nan, 0.7], [0.2, 0.2, np.nan, 0.4])

    (row,) = numbers.to_dict("records")
    assert (row["learned"], row["learned_search"]) == ("own", "asymmetric")
    assert (row["quantized"], row["quantized_search"]) == ("mf_b", "decoded")
    # Gaps of 0.3, 0.4 and 0.3: the mean, and 4.303 of its standard errors of 1/30.
    assert row["difference"] == pytest.approx(1 / 3, rel=1e-6)
    assert row["low"] == pytest.approx(1 / 3 - 4.30265 / 30, rel=1e-5)
    assert printed.Verdict.tolist() == [
        "Learned codes (Own, asymmetric, HR@50 0.6000) beat quantized vectors (MF, b, asymmetric, "
        "decoded, HR@50 0.2667): +0.3333, 95 % interval +0.1899 to +0.4768 over users, one seed."
    ]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.02, "beat"),
        (-0.01, 0.02, "do not differ from"),
        (-0.02, -0.01, "are worse than"),
        (np.nan, np.nan, "do not differ from"),
    ],
)
def test_words_follow_the_interval(low: float, high: float, words: str) -> None:
    row = {"learned": "own", "learned_search": "hamming", "learned_hr": 0.5, "seeds": 3}
    row |= {"quantized": "mf_b", "quantized_search": "decoded", "quantized_hr": 0.4}

    text = sentence({**row, "difference": 0.1, "low": low, "high": high}, dict(SETTINGS["models"]))

    assert f") {words} quantized vectors (" in text
    assert text.endswith("over users and 3 seeds.")


def test_of_several_seeds_the_interval_is_wider() -> None:
    random = np.random.default_rng(0)
    one, other = random.random((2, 50)), random.random((2, 50))

    assert compare(one, other).high - compare(one, other).low > (
        compare(one[:1], other).high - compare(one[:1], other).low
    )


def test_nothing_to_compare_is_an_error(tmp_path: Path) -> None:
    settings = {**SETTINGS, "quantized": {}, "runs": [["d", "own", 16, 0]]}
    inputs = [
        written(tmp_path, "own", {"hamming": 0.5}),
        per_user(tmp_path, "own", {"hamming": [0.5]}),
        vectors(tmp_path, "own", 16),
    ]

    with pytest.raises(InputError, match=r"^grids\.quantization_verdict\.models: expected"):
        make_verdict(argparse.Namespace(inputs=inputs, settings=settings))


FOOTPRINT_SETTINGS = {
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
    found = footprints(FRAME, WIDTHS, FOOTPRINT_SETTINGS)

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
