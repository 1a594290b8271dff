"""The comparison of generated with real data, on tiny data sets and made-up results."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import generated_data
from hashgnn.data.interactions import save_interactions
from hashgnn.data.prepare import prepare

ROOT = Path(__file__).parents[2]
METHODS = {"hashgnn_plus": 0.4, "als": 0.3, "hashgnn": 0.2, "popularity": 0.1}
COLUMNS = ["dataset", "model", "bits", "search", "metric", "n", "seed", "value"]


def metrics(folder: Path, model: str, vectors: float, codes: float) -> None:
    """Write HR@50 of two searches, and rows that the comparison must leave out."""
    own = "continuous" if model in ("als", "popularity") else "hierarchical"
    other = {"continuous": "hierarchical", "hierarchical": "continuous"}[own]
    rows = [("hr", 50, own, vectors), ("hr", 50, "hamming", codes), ("hr", 50, other, 0.9)]
    rows += [("ndcg", 50, own, 0.9), ("hr", 100, own, 0.9)]
    path = folder / model / "bits32/seed0/metrics.csv"
    path.parent.mkdir(parents=True)
    lines = [("synthetic", model, 32, search, name, n, 0, v) for name, n, search, v in rows]
    pd.DataFrame(lines, columns=COLUMNS).to_csv(path, index=False)


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    """Compare: one generated set in the real order, one with ALS before HashGNN+ by vectors."""
    sizes = {"users": 120, "items": 90, "interactions": 2500}
    folders = {name: tmp_path / "results" / name for name in generated_data.REAL}
    folders |= {"synthetic": tmp_path / "results/synthetic", "demo": tmp_path / "demo/synthetic"}
    for seed, (name, folder) in enumerate(folders.items()):
        settings = {"dataset": name, "reader": "synthetic", "generator": {**sizes, "seed": seed}}
        folder.mkdir(parents=True)
        save_interactions(folder / "interactions.npz", prepare([], settings).interactions)
        swapped = {"als": 0.5} if name == "synthetic" else {}
        for model, value in METHODS.items():
            if name != "movielens":
                metrics(folder, model, {**METHODS, **swapped}[model], value)
    real = [
        ("movielens", model, 32, search, "hr", 50, value)
        for model, value in METHODS.items()
        for search in ("hamming", "hierarchical", "continuous")
    ]
    old = [("gowalla", model, 32, "hamming", "hr", 50, 0.7) for model in METHODS]
    names = [*COLUMNS[:6], "mean"]
    pd.DataFrame(real + old, columns=names).to_csv(tmp_path / "methods.csv", index=False)
    page = tmp_path / "data.md"
    page.write_text(
        "before\n<!-- tables: make generator-fit -->\nx\n<!-- end of tables -->\nafter\n"
    )
    folders = ["--results", str(tmp_path / "results"), "--demo", str(tmp_path / "demo")]
    files = {"reference": "methods.csv", "output": "made.csv", "into": "data.md"}
    options = [text for key, file in files.items() for text in (f"--{key}", str(tmp_path / file))]
    generated_data.main([*folders, *options])
    assert page.read_text() == (
        "before\n<!-- tables: make generator-fit -->\n"
        + generated_data.shown(tmp_path / "made.csv")
        + "<!-- end of tables -->\nafter\n"
    )
    return pd.read_csv(tmp_path / "made.csv").set_index(["table", "row", "column"]).value


def test_kendalls_tau_is_that_of_the_mean_order(table: pd.Series) -> None:
    tau = "Kendall's tau with the mean order"
    assert table["vectors", tau, "demo"] == 1
    assert table["vectors", tau, "synthetic"] == pytest.approx(4 / 6)  # one of six pairs swapped
    assert table["codes", tau, "synthetic"] == 1
    assert table["vectors", "MF (ALS) / HashGNN+", "synthetic"] == pytest.approx(0.5 / 0.4)
    assert table["vectors", "MF (ALS) / HashGNN+", "demo"] == pytest.approx(0.3 / 0.4)


def test_own_results_go_before_the_committed_ones(table: pd.Series) -> None:
    assert table["codes", "HashGNN", "movielens"] == 0.2
    assert table["codes", "HashGNN", "gowalla"] == 0.2
    ranks = [table["vectors", name, "mean rank on the real"] for name in ("HashGNN+", "Popularity")]
    assert ranks == [1, 4]


def test_statistics_have_the_median_of_the_real_sets(table: pd.Series) -> None:
    values = [table["statistics", "user degree, Gini", name] for name in generated_data.REAL]
    median = table["statistics", "user degree, Gini", "median of the real"]
    assert median == pytest.approx(np.median(values), abs=1e-5)


def test_the_page_shows_the_committed_tables() -> None:
    shown = generated_data.shown(ROOT / "benchmarks/generated_data.csv")
    assert shown in (ROOT / "docs/data.md").read_text(encoding="utf-8")
