"""``hashgnn evaluate`` and ``hashgnn quantize``: tables, divisions, what is left out, errors."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

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
    asked = ("hamming", "asymmetric", "hierarchical", "continuous")
    searches = [("mf", search) for search in asked]
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


RANDOM = np.random.default_rng(0)
ITEMS = RANDOM.standard_normal((300, 24)).astype(np.float32)
USERS = RANDOM.standard_normal((20, 24)).astype(np.float32)
SIGNS = {"Hamming", "asymmetric, 4 bits"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.save(tmp_path / "items.npy", ITEMS)
    np.save(tmp_path / "users.npy", USERS)
    nearest = np.argsort(-(USERS @ ITEMS.T), axis=1)[:, :10]
    rows = np.zeros((20, 300), dtype=np.int8)
    np.put_along_axis(rows, nearest, 1, axis=1)
    sparse.save_npz(tmp_path / "relevant.npz", sparse.coo_array(rows))
    return tmp_path


def test_the_table(folder: Path) -> None:
    given: list[str | Path] = [
        "quantize",
        folder / "items.npy",
        "--users",
        folder / "users.npy",
        "-n",
        "10",
    ]
    sizes = ["--bytes", "3", "--bytes", "9"]

    ran = run(*given, *sizes, "--relevant", folder / "relevant.npz", "--output", folder / "out")

    assert ran.exit_code == 0, ran.output
    table = pd.read_csv(folder / "out/quantization.csv", keep_default_na=False)
    found = {(row.quantizer, row.search, row.bytes) for row in table.itertuples()}
    assert found == {
        ("none", "floats", 96),
        *((kind, search, 3) for kind in ("sign", "lsh", "itq") for search in SIGNS),
        *((kind, "asymmetric, FAISS", size) for kind in ("pq", "opq") for size in (3, 9)),
        *(("lsh", search, 9) for search in SIGNS),
        ("rabitq", "asymmetric, FAISS", 9),
    }
    assert table.overlap.tolist() == pytest.approx(table.recall.tolist())  # relevant: the best 10
    assert table.overlap[0] == 1
    assert table.overlap[1:].between(0.05, 0.999).all()
    assert (table.microseconds > 0).all()
    assert (folder / "out/quantization.md").read_text() in ran.output
    assert "9 bytes: sign: expected vectors of 72 dimensions" in ran.stderr
    for name in ("quantization.pdf", "quantization.svg"):
        assert (folder / "out" / name).stat().st_size
    text = (folder / "out/quantization.svg").read_text()
    for label in ("recall of relevant items", "bytes an item", "lsh, Hamming", "none, floats"):
        assert f"{label}<" in text


@pytest.mark.parametrize(
    ("users", "options", "message"),
    [
        (np.full((20, 24), np.nan), [], "users.npy: vectors: row 0 holds nan"),
        (USERS[:, :23], [], "users.npy: vectors of 23 dimensions, but those of "),
        (USERS[0], [], "users.npy: expected vectors, floats [rows, dimensions], got float32 [24]"),
        (USERS.astype(int), [], "users.npy: expected vectors, floats"),
        (USERS, ["-n", "301"], "--number: 301 is more than the 300 items"),
        (USERS[:5], ["--relevant", "relevant.npz"], "a matrix [20, 300], expected [5, 300]"),
        (USERS, ["--relevant", "items.npy"], "items.npy: no sparse matrix of scipy"),
    ],
)
def test_a_mistake_is_one_line(
    folder: Path, users: np.ndarray, options: list[str], message: str
) -> None:
    np.save(folder / "users.npy", users)
    options = [str(folder / name) if "." in name else name for name in options]

    ran = run("quantize", folder / "items.npy", "--users", folder / "users.npy", *options)

    assert ran.exit_code == 2
    (line,) = ran.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
