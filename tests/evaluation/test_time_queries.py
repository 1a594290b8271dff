"""The stage that times queries: what is searched, among how many items, and its rows."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hashgnn.errors import InputError
from hashgnn.evaluation import time_queries as stage
from hashgnn.evaluation.time_queries import COLUMNS, read_query_times
from hashgnn.files import save_array

LABELS = {"dataset": "d", "model": "m", "bits": 16, "seed": 0}
TIMING = {"threads": 1, "rounds": 2, "k": 5, "candidates": 9}


@pytest.fixture
def time(tmp_path: Path) -> Any:
    def run(width: int, **settings: Any) -> pd.DataFrame:
        random, arguments = np.random.default_rng(0), []
        for kind, rows in (("user", 70), ("item", 200)):
            vectors = random.standard_normal((rows, width), dtype=np.float32)
            codes = random.integers(0, 256, (rows, 2), dtype=np.uint8)
            for name, array in (("codes", codes), ("vectors", vectors)):
                save_array(tmp_path / f"{kind}_{name}.npy", array)
                arguments += [f"--{kind}-{name}", str(tmp_path / f"{kind}_{name}.npy")]
        given = {**LABELS, "timing": TIMING, "items": 500, **settings}
        arguments += ["--settings", json.dumps(given), "--output", str(tmp_path / "times.csv")]
        assert stage.main([*arguments, "--provenance", str(tmp_path / "p.json")]) == 0
        return read_query_times([tmp_path / "times.csv"])

    return run


@pytest.mark.parametrize(
    ("width", "settings", "searches"),
    [
        (16, {}, {"hamming", "asymmetric", "asymmetric re-rank", "continuous"}),
        (20, {}, {"hamming", "continuous"}),  # no number for each bit
        (20, {"has_codes": False}, {"continuous"}),
        *(
            (
                17,
                {"has_codes": False, "compressed": {"quantizer": kind, "training_items": 99}},
                {"decoded"},
            )
            for kind in ("pq", "opq", "rabitq")
        ),
    ],
)
def test_every_search_is_timed_at_both_sizes(
    time: Any, width: int, settings: dict[str, Any], searches: set[str]
) -> None:
    times = time(width, **{"has_codes": True, **settings})

    rows = times[["search", "items", "round"]].to_numpy().tolist()
    assert sorted(rows) == sorted(
        [search, items, number]
        for search in searches
        for items in (200, 500)
        for number in range(2)
    )
    assert (times.queries == 70).all()
    assert (times.microseconds > 0).all()
    assert times[list(LABELS)].drop_duplicates().to_dict("records") == [LABELS]


def test_fewer_queries_are_timed_among_more_items(
    time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_PAIRS", 200 * 66)
    monkeypatch.setattr(stage, "_FEWEST", 3)

    times = time(16, has_codes=True)

    assert times.groupby("items").queries.first().to_dict() == {200: 66, 500: 26}


def test_other_columns_are_refused(tmp_path: Path) -> None:
    pd.DataFrame(columns=[*COLUMNS, "more"]).to_csv(tmp_path / "other.csv", index=False)

    with pytest.raises(InputError, match=r"other\.csv: expected the columns dataset, "):
        read_query_times([tmp_path / "other.csv"])
