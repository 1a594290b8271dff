from typing import Any

import numpy as np
import pandas as pd
import pytest

from hashgnn.data.interactions import Csr
from hashgnn.evaluation.run_checks import check_codes, check_lists, check_metrics, check_vectors
from hashgnn.evaluation.statistics import COLUMNS


def broken(checks: Any) -> list[str]:
    return [check.rule for check in checks if not check.kept]


def metrics(values: dict[int, float], metric: str = "hr") -> pd.DataFrame:
    rows = [("d", "m", 12, "hamming", metric, n, 0, value) for n, value in values.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_padding_bits_must_be_zero() -> None:
    codes = np.array([[255, 0b1111], [0, 0]], np.uint8)

    assert broken(check_codes("s", codes, 2, 12)) == []
    assert broken(check_codes("s", codes, 2, 11)) == ["padding bits of codes are zero"]
    assert broken(check_codes("s", codes[:, :1], 2, 8)) == []  # no padding at all
    assert broken(check_codes("s", codes, 3, 12)) == [
        "codes have a row each and a bit for each of K"
    ]


def test_vectors_must_be_finite() -> None:
    vectors = np.ones((3, 2), np.float32)
    assert broken(check_vectors("s", vectors, 3)) == []

    vectors[1, 1] = np.nan
    assert broken(check_vectors("s", vectors, 3)) == ["vectors are finite"]


SEEN = Csr(np.array([0, 2, 3]), np.array([0, 1, 2], np.int32))  # user 0: 0, 1; user 1: 2


@pytest.mark.parametrize(
    ("lists", "rules"),
    [
        ([[2, 3, -1], [0, 1, 3]], []),
        ([[1, 3, 2], [0, 1, 3]], ["no training or validation item is recommended"]),
        ([[2, 3, -1], [0, 0, 3]], ["no item is recommended twice to a user"]),
        ([[2, -1, -1], [0, 1, 3]], ["every user with candidates has a full list"]),
    ],
)
def test_lists(lists: list[list[int]], rules: list[str]) -> None:
    assert broken(check_lists("s", np.array(lists, np.int32), SEEN, 4, candidates=4)) == rules


def test_few_candidates_make_short_lists() -> None:
    assert broken(check_lists("s", np.array([[2], [0]], np.int32), SEEN, 4, candidates=1)) == []


def test_metrics_lie_within_bounds_and_hit_rates_grow() -> None:
    assert broken(check_metrics("s", metrics({20: 0.1, 10: 0.1}))) == []
    assert broken(check_metrics("s", metrics({10: 0.1, 20: 1.1}))) == [
        "metrics lie between 0 and 1"
    ]
    nothing = metrics({10: float("nan")})
    assert "metrics lie between 0 and 1" in broken(check_metrics("s", nothing))
    falling = {10: 0.2, 20: 0.1}
    assert broken(check_metrics("s", metrics(falling))) == ["hit rates do not fall as lists grow"]
    assert broken(check_metrics("s", metrics(falling, metric="ndcg"))) == []
