import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hashgnn.data.interactions import Csr
from hashgnn.evaluation.evaluate import Check, check_metrics, check_run
from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting import checks as gathered
from hashgnn.reporting.checks import check_against
from hashgnn.search import Representation


def broken(checks: Any) -> list[str]:
    return [check.rule for check in checks if not check.kept]


def metrics(values: dict[int, float], model: str = "m", metric: str = "hr") -> pd.DataFrame:
    rows = [("d", model, 12, "hamming", metric, n, 0, value) for n, value in values.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_a_baseline_is_a_floor_where_it_was_evaluated() -> None:
    floor, low, high = (
        metrics({50: v}, m) for m, v in (("popularity", 0.2), ("a", 0.1), ("b", 0.3))
    )

    checks = list(check_against(["popularity"], pd.concat([floor, low, high]), 50))

    assert [(check.subject, check.kept) for check in checks] == [
        ("d/a/bits12", False),
        ("d/b/bits12", True),
    ]
    assert checks[0].detail == "HR@50 0.1000, popularity 0.2000"
    assert list(check_against(["popularity"], pd.concat([low, high]), 50)) == []


SEEN = Csr(np.array([0, 2, 3]), np.array([0, 1, 2], np.int32))


def representation(rows: int) -> Representation:
    """Random codes of 12 bits and vectors."""
    rng = np.random.default_rng(rows)
    codes = rng.integers(0, 256, (rows, 2), dtype=np.uint8)
    codes[:, 1] &= 0b1111
    return Representation(codes, rng.random((rows, 12), dtype=np.float32))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The path of the metrics of a run."""
    metrics({50: 0.5}).to_csv(tmp_path / "metrics.csv", index=False)
    return tmp_path / "metrics.csv"


def inspect(run: Path, items: Representation) -> pd.DataFrame:
    """Write and return the checks of two users and four items."""
    found = [
        *check_run("d/m/bits12/seed0", representation(2), items, SEEN, 4, 12, 3),
        *check_metrics("d/m/bits12/seed0", metrics({50: 0.5})),
    ]
    pd.DataFrame(found).to_csv(run.parent / "checks.csv", index=False)
    return pd.DataFrame(found)


def gather(run: Path, baselines: str = "fail", tables: Sequence[str] = ()) -> int:
    arguments = ["--checks", str(run.parent / "checks.csv"), "--metrics", str(run)]
    arguments += ["--settings", json.dumps({"baselines": baselines, "floors": ["popularity"]})]
    arguments += ["--tables", *(str(run.parent / name) for name in tables)]
    for kind in ("csv", "md", "html"):
        arguments += [f"--{kind}", str(run.parent / f"all.{kind}")]
    return gathered.main(arguments)


def test_a_sound_run_keeps_all_rules(run: Path) -> None:
    checks = inspect(run, representation(4))

    assert checks.kept.all()
    assert len(checks) == 2 * 4 + 3 * 3 + 2
    assert gather(run) == 0
    assert "| metrics lie between 0 and 1" in (run.parent / "all.md").read_text()


def test_broken_rules_fail_with_their_names(run: Path, capsys: Any) -> None:
    items = representation(4)
    assert items.codes is not None
    items.codes[3, 1] |= 0b1000_0000
    inspect(run, items)

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
    inspect(run, representation(4))

    assert gather(run, tables=["table2.csv"]) == 2
    assert (
        "table2 d/b/bits32 hr@50: differences are those of the means: -0.008300, of the means "
        "-0.006200" in capsys.readouterr().err
    )


def test_baselines_can_be_reported_only(run: Path, capsys: Any) -> None:
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
