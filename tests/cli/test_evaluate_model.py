"""``hashgnn evaluate``: formats, divisions, and errors."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers import run_hashgnn as run

METHOD = ["--method", "mf", "--bits", "8", "--set", "epochs=2", "-n", "3", "-n", "10"]
COLUMNS = ["method", "search", "n", "recall", "hit_rate", "precision", "ndcg", "mrr", "map"]
COLUMNS += ["coverage", "novelty", "gini"]


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty users with ten items of twenty each, one a day."""
    path = tmp_path_factory.mktemp("evaluate") / "clicks.csv"
    rng = np.random.default_rng(0)
    rows = [
        (f"u{user}", f"i{item}", 1_700_000_000 + 86_400 * day)
        for user in range(40)
        for day, item in enumerate(rng.permutation(20)[:10])
    ]
    pd.DataFrame(rows, columns=["user", "item", "ts"]).to_csv(path, index=False)
    return path


def test_a_method_beside_its_baselines(clicks: Path) -> None:
    days = ["--time", "ts", "--test-days", "3"]
    ran = run("evaluate", clicks, *days, *METHOD, "--format", "csv")

    assert ran.exit_code == 0, ran.output
    found = pd.read_csv(io.StringIO(ran.stdout))
    assert found.columns.tolist() == COLUMNS
    rows = list(found[["method", "search", "n"]].itertuples(index=False, name=None))
    searches = [("mf", search) for search in ("hamming", "hierarchical", "continuous")]
    searches += [("popularity", "continuous"), ("als", "continuous")]
    assert rows == [(*pair, n) for pair in searches for n in (3, 10)]
    # Ten of the thirteen items that a user has not: each is one of three tested or not.
    assert (found[found.n == 10].recall > 0.5).all()
    assert ran.stderr.startswith(
        "trained on 280 interactions of 40 users with 20 items; tested on 120 of 40 users; "
        "left out: 0 of users and 0 of items not in training\n"
    )


def test_formats_hold_the_same(clicks: Path, tmp_path: Path) -> None:
    table = run("evaluate", clicks, *METHOD, "--format", "csv").stdout
    as_json = run("evaluate", clicks, *METHOD, "--format", "json", "--output", tmp_path / "e.json")
    markdown = run("evaluate", clicks, *METHOD).stdout.splitlines()

    expected = pd.read_csv(io.StringIO(table))
    told = json.loads((tmp_path / "e.json").read_text())
    assert as_json.stdout == ""
    assert (told["train_interactions"], told["test_interactions"]) == (320, 80)
    pd.testing.assert_frame_equal(pd.DataFrame(told["results"]), expected)
    assert len(markdown) == 2 + len(expected)
    cells = [cell.strip() for cell in markdown[2].strip("|").split("|")]
    assert cells[:4] == ["mf", "hamming", "3", f"{expected.recall[0]:.4f}"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--test-days", "3"], "--test-days: name the column of times with --time"),
        (["--time", "ts", "--test-days", "99"], "--test-days: 99.0 leaves one part empty"),
        (["--time", "ts", "--test-days", "3", "--test", "0.5"], "--test and --test-days: give one"),
        (["--time", "when", "--test-days", "3"], "no column 'when' for time"),
        (["--method", "svd"], "method 'svd': expected one of"),
    ],
)
def test_what_cannot_be_evaluated(clicks: Path, options: list[str], message: str) -> None:
    ran = run("evaluate", clicks, *options)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.count("\n") == 1
    assert message in ran.stderr
