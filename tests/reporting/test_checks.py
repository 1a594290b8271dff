import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hashgnn.data.interactions import Csr, Split, save_split
from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting import check_runs
from hashgnn.reporting import checks as gathered
from hashgnn.reporting.check_runs import (
    Check,
    check_codes,
    check_lists,
    check_metrics,
    check_vectors,
)
from hashgnn.reporting.checks import check_against_popularity


def broken(checks: Any) -> list[str]:
    return [check.rule for check in checks if not check.kept]


def metrics(values: dict[int, float], model: str = "m", metric: str = "hr") -> pd.DataFrame:
    rows = [("d", model, 12, "hamming", metric, n, 0, value) for n, value in values.items()]
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


def test_popularity_is_a_floor_where_it_was_evaluated() -> None:
    floor, low, high = (
        metrics({50: v}, m) for m, v in (("popularity", 0.2), ("a", 0.1), ("b", 0.3))
    )

    checks = list(check_against_popularity(pd.concat([floor, low, high]), 50))

    assert [(check.subject, check.kept) for check in checks] == [
        ("d/a/bits12", False),
        ("d/b/bits12", True),
    ]
    assert checks[0].detail == "HR@50 0.1000, popularity 0.2000"
    assert list(check_against_popularity(pd.concat([low, high]), 50)) == []


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two users and four items with codes of 12 bits; the path of its metrics."""
    rng = np.random.default_rng(0)
    empty = Csr(np.zeros(3, np.int64), np.empty(0, np.int32))
    save_split(tmp_path / "split.npz", Split(SEEN, empty, empty, 2, 4))
    for kind, rows in (("user", 2), ("item", 4)):
        codes = rng.integers(0, 256, (rows, 2), dtype=np.uint8)
        codes[:, 1] &= 0b1111
        np.save(tmp_path / f"{kind}_codes.npy", codes)
        np.save(tmp_path / f"{kind}_vectors.npy", rng.random((rows, 12), dtype=np.float32))
    metrics({50: 0.5}).to_csv(tmp_path / "metrics.csv", index=False)
    return tmp_path / "metrics.csv"


def inspect(run: Path) -> pd.DataFrame:
    output = run.parent / "checks.csv"
    settings = json.dumps({"candidates": 3, "continuous": []})
    arguments = ["--split", str(run.parent / "split.npz"), "--metrics", str(run)]
    assert check_runs.main([*arguments, "--settings", settings, "--output", str(output)]) == 0
    return pd.read_csv(output, keep_default_na=False)


def gather(run: Path, popularity: str = "fail", tables: Sequence[str] = ()) -> int:
    arguments = ["--checks", str(run.parent / "checks.csv"), "--metrics", str(run)]
    arguments += ["--settings", json.dumps({"popularity": popularity})]
    arguments += ["--tables", *(str(run.parent / name) for name in tables)]
    for kind in ("csv", "md", "html"):
        arguments += [f"--{kind}", str(run.parent / f"all.{kind}")]
    return gathered.main(arguments)


def test_a_sound_run_keeps_all_rules(run: Path) -> None:
    checks = inspect(run)

    assert checks.kept.all()
    assert len(checks) == 2 * 4 + 3 * 3 + 2
    assert gather(run) == 0
    assert "| metrics lie between 0 and 1" in (run.parent / "all.md").read_text()


def test_broken_rules_fail_with_their_names(run: Path, capsys: Any) -> None:
    codes = np.load(run.parent / "item_codes.npy")
    codes[3, 1] |= 0b1000_0000
    np.save(run.parent / "item_codes.npy", codes)
    inspect(run)

    assert gather(run) == 2
    message = capsys.readouterr().err
    assert "1 of 10 checks of the results fail:" in message
    assert "d/m/bits12/seed0 items: padding bits of codes are zero: 1 rows have others" in message
    assert not (run.parent / "all.csv").exists()


def test_a_table_of_mixed_runs_fails(run: Path, capsys: Any) -> None:
    """As where means are of three seeds and differences of two."""
    place = {"dataset": "d", "bits": 32, "metric": "hr", "n": 50, "low": 0.1, "high": 0.9}
    table = pd.DataFrame(
        [
            {**place, "model": "a", "mean": 0.1587},
            {**place, "model": "b", "mean": 0.1525, "reference": "a", "difference": -0.0083},
        ]
    ).assign(difference_low=np.nan, difference_high=np.nan)
    table.to_csv(run.parent / "table2.csv", index=False)
    inspect(run)

    assert gather(run, tables=["table2.csv"]) == 2
    assert (
        "table2 d/b/bits32 hr@50: differences are those of the means: -0.008300, of the means "
        "-0.006200" in capsys.readouterr().err
    )


def test_popularity_can_be_reported_only(run: Path, capsys: Any) -> None:
    popular = metrics({50: 0.9}, "popularity")
    pd.concat([metrics({50: 0.5}), popular]).to_csv(run, index=False)
    checks = [Check("s", "r", True)]
    pd.DataFrame(checks).to_csv(run.parent / "checks.csv", index=False)

    assert gather(run, "fail") == 2
    assert (
        "d/m/bits12: above popularity: HR@50 0.5000, popularity 0.9000" in capsys.readouterr().err
    )
    assert gather(run, "report") == 0
    assert not pd.read_csv(run.parent / "all.csv").kept.all()
