"""``hashgnn quantize``: the table, what is left out, and one line for each mistake."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from tests.helpers import run_hashgnn as run

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
