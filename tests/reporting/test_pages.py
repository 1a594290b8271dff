"""Pages of two data sets, one of which has no results of a method."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hashgnn.reporting.pages import deciding, leading, main, wrapped

SETTINGS: dict[str, Any] = {
    "datasets": [["d", "Data"], ["e", "Else"]],
    "models": [["hashgnn", "HashGNN"], ["mf", "MF"], ["low", "low p"], ["gcn", "GCN"]],
    "continuous": ["mf"],
    "proposed": ["hashgnn"],
    "variants": [],
    "quantized": [],
    "generated": ["e"],
    "titles": [["fig3", "Figure 3: recall"], ["fig8", "Figure 8: bytes"], ["table1", "Table 1"]],
    "planned": ["fig3", "fig8", "table1"],
    "not_run": [["Figure 8: bytes", ""], ["Table 1", "without data sets Third"]],
    "set": [["hashgnn", "", "scale", "0.25"], ["hashgnn", "d", "scale", "0.5"]],
    "runs": {"fig3": [["d", "hashgnn/bits32/seed0"], ["d", "hashgnn/bits32/seed1"]]},
    "files": [["d", "clicks.csv", "https://example.org/clicks.csv", "sha256:ab"]],
}
CLAIM = {
    "text": "A above B",
    "data": "Data",
    "verdict": "holds in part",
    "held": 1,
    "comparisons": 2,
    "numbers": "d HR@50, hashgnn to b: 0.41 to 0.32; d HR@50, mf to c: 0.41 to 0.43 (against)",
}
AGAIN = {
    "result": ["hashgnn/bits32/seed0", "mf/bits32/seed0"],
    "processor": ["P", "P"],
    "again_processor": ["P", "Q"],
    "again_finished": ["2026-01-03T00:00:00Z", "2026-01-05T00:00:00Z"],
    "same_codes": [True, False],
    "largest_difference": [0.0, 0.000123],
}
RATES = {("d", "hashgnn"): (0.25, 0.5), ("d", "mf"): (0.75, 0.75), ("e", "hashgnn"): (0.125, 0.125)}
VARIED = {("d", "low"): (0.5, 0.5), ("d", "gcn"): (0.875, 0.625)}


def write(path: Path, content: str | pd.DataFrame) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else content.to_csv(index=False))
    return path


def metrics(root: Path, dataset: str, model: str, seed: int, rate: float) -> Path:
    searches = ["hamming", "continuous", *["hierarchical"] * (model != "mf")]
    columns = ["dataset", "model", "bits", "search", "metric", "n", "seed", "value"]
    rows = [(dataset, model, 32, search, "hr", 50, seed, rate) for search in searches]
    path = root / f"results/{dataset}/{model}/bits32/seed{seed}/metrics.csv"
    return write(path, pd.DataFrame(rows, columns=columns))


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return written(RATES, SETTINGS)


def written(
    trained: Mapping[tuple[str, str], tuple[float, ...]], settings: Any, *others: Path
) -> Path:
    """Write the pages of trainings with these HR@50, a value for each seed."""
    provenance = {
        **{
            "dataset": "d",
            "result": "hashgnn/bits32/seed0",
            "stage": "train",
            "current": False,
            "git_commit": "c",
        },
        **{"processor": "P", "finished": "2026-01-02T00:00:00Z", "cpu_seconds": 7200.0},
        **{"seconds": 3600.0, "peak_memory_mb": 9},
    }
    files = [
        write(Path("figures/fig3.svg"), "<svg/>"),
        write(Path("results/fig3.csv"), "value\n0.5\n"),
        write(Path("results/table1.csv"), "users\n3\n"),
        write(Path("results/table1.md"), "| Users |\n| ---: |\n|     3 |\n"),
        write(Path("results/table1.tex"), "3"),
        write(Path("results/claims.csv"), pd.DataFrame([CLAIM])),
        write(Path("results/checks.csv"), "kept\nTrue\nFalse\n"),
        write(Path("results/d/provenance.csv"), pd.DataFrame([provenance])),
        write(Path("results/d/provenance.md"), "| Stage |\n| :---- |\n| train |\n"),
        write(Path("results/again.csv"), pd.DataFrame(AGAIN)),
    ]
    of_runs = [
        metrics(Path(), *run, seed, rate)
        for run, rates in trained.items()
        for seed, rate in enumerate(rates)
    ]
    arguments = [*map(str, [*files, *others]), "--metrics", *map(str, of_runs), "--output", "pages"]
    assert main([*arguments, "--settings", json.dumps(settings)]) == 0
    return Path("pages").absolute()


def text(pages: Path, name: str) -> str:
    return (pages / f"{name}.md").read_text(encoding="utf-8")


def test_the_first_page_says_what_was_run_and_what_was_not(pages: Path) -> None:
    page = " ".join(text(pages, "README").split())

    assert "6 trainings of 2 methods (codes of 32 bits, 2 seeds each) on Data and Else." in page
    assert "With sweeps, 1 trainings were made. This took 2.00 processor hours on P, at 1" in page
    assert "![Figure 3: recall](fig3.svg)" in page
    assert "## Figure 8: bytes Not run." in page
    assert "## Not run - Figure 8: bytes: not run. - Table 1: without data sets Third." in page
    assert "Of 1 claims of the paper, 1 holds in part." in page
    assert "| holds in part | 1 of 2 | Data HR@50, MF to c: 0.41 to 0.43 (against) |" in page
    assert "| Data | HashGNN 0.375 | HashGNN 0.375 | MF 0.750 |" in page
    assert "| Else | HashGNN 0.125 | HashGNN 0.125 | HashGNN 0.125 |" in page
    assert "- Made by other code or settings than the present ones: 1 results." in page
    assert "- Consistency checks kept: 1 of 2." in page


def test_variants_stand_apart_and_are_compared_with_the_best_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = written(RATES | VARIED, SETTINGS | {"variants": ["hashgnn", "low", "gcn"]})
    page = " ".join(text(made, "README").split())

    assert (
        "2 variants of HashGNN were trained on Data. HR@50 of HashGNN and of its best variant: "
        "0.3750 by Hamming search, at most 0.7500 (GCN); 0.3750 by hierarchical search, at most "
        "0.7500 (GCN). 1 of the variants reaches the vectors of MF (0.7500) by hierarchical search"
    ) in page
    assert "| Data | HashGNN 0.375 | HashGNN 0.375 | MF 0.750 |" in page


def test_quantized_vectors_are_not_among_the_best_methods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = " ".join(text(written(RATES, SETTINGS | {"quantized": ["mf"]}), "README").split())
    assert "| Data | HashGNN 0.375 | HashGNN 0.375 |" in page
    assert "MF 0.750" not in page


def test_the_papers_settings_stand_beside_the_shipped_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    columns = ["dataset", "model", "bits", "metric", "n", "side", "mean"]
    rows = [
        ("d", "hashgnn", 32, "hr", 50, "codes", 0.0625),
        ("d", "hashgnn", 32, "hr", 50, "vectors", 0.125),
        ("d", "hashgnn", 32, "ndcg", 50, "codes", 0.9375),
        ("d", "mf", 32, "hr", 50, "vectors", 0.1875),
        ("e", "mf", 32, "hr", 50, "vectors", 0.9375),  # not trained with the shipped settings
    ]
    printed = write(Path("paper/results/methods.csv"), pd.DataFrame(rows, columns=columns))
    made = written(RATES, SETTINGS, printed)
    page = " ".join(text(made, "README").split())

    assert "| HashGNN | 0.0625 | 0.3750 | 0.1250 | 0.3750 |" in page
    assert "| MF | - | - | 0.1875 | 0.7500 |" in page
    assert pd.read_csv(made / "printed.csv").to_numpy().tolist() == [
        ["d", "hashgnn", "codes", 0.0625, 0.375],
        ["d", "hashgnn", "vectors", 0.125, 0.375],
        ["d", "mf", "vectors", 0.1875, 0.75],
    ]


def test_the_headline_has_the_best_of_each_data_set(pages: Path) -> None:
    lines = [" ".join(line.split()) for line in text(pages, "headline").splitlines()]

    assert lines[0] == "![Figure 3: recall](fig3.svg)"
    assert "| HashGNN, Hamming | 4 | 0.375 | **0.125** |" in lines
    assert "| HashGNN, hierarchical | 132 | 0.375 | **0.125** |" in lines
    assert "| MF, continuous | 128 | **0.750** | not run |" in lines
    assert " ".join(lines).endswith("codes of 32 bits, mean of 2 seeds.")


def test_the_papers_method_and_the_best_others_are_leading() -> None:
    hamming = {"a": 0.1, "b": 0.4, "paper": 0.2, "c": 0.3}
    continuous = {"b": 0.9, "x": 0.5, "y": 0.8, "z": 0.6, "w": 0.7}
    rows = [
        (dataset, search, model, rate)
        for dataset in ("d", "e")
        for search, rates in (("hamming", hamming), ("continuous", continuous))
        for model, rate in rates.items()
    ]
    rates = pd.DataFrame(rows, columns=["dataset", "search", "model", "mean"])

    found = leading(rates, {"proposed": ["paper"], "continuous": ["w", "x", "y", "z"]})

    assert found == [
        *(
            (model, search)
            for model in ("b", "c", "paper")
            for search in ("hamming", "asymmetric", "hierarchical")
        ),
        *((model, "continuous") for model in ("y", "w", "z")),
    ]


def test_subpages(pages: Path) -> None:
    assert "[CSV](table1.csv), [LaTeX](table1.tex)" in text(pages, "tables")
    assert "## Figure 8: bytes\n\nNot run." in text(pages, "figures")
    assert "`figures/fig3.pdf`, 2.00 processor hours" in text(pages, "figures")
    assert re.search(r"\| HashGNN \| Data +\| scale 0.5 +\|", text(pages, "tuning"))
    assert "https://example.org/clicks.csv" in text(pages, "data")
    provenance = " ".join(text(pages, "provenance").split())
    assert "[provenance-d.csv](provenance-d.csv)" in provenance
    assert (
        "2 trainings were made a second time, in another folder (on P and Q; second time: "
        "2026-01-03 to 2026-01-05). 1 have the same codes, byte for byte; the largest difference "
        "of a metric is 0.00012."
    ) in provenance


def test_numbers_have_a_file(pages: Path) -> None:
    written = " ".join(path.read_text() for path in pages.glob("*.csv"))
    values = {round(float(number), 3) for number in re.findall(r"\d+\.\d+", written)}

    for name in ("headline", "tuning"):
        shown = re.findall(r"(?<![\w.])\d+\.\d+(?![\w.])", text(pages, name))
        assert shown
        assert {float(number) for number in shown} <= values


@pytest.mark.parametrize(
    ("numbers", "holds", "expected"),
    [
        ("x: 0.5 to 0.1; y: 0.5 to 0.4", True, "y: 0.5 to 0.4"),
        (
            "x: 0.5 to 0.6 (against); y: 0.5 to 0.9 (against); z: 9 to 1",
            False,
            "y: 0.5 to 0.9 (against)",
        ),
        ("x, peak: 0.13 at p = 0.5 (against)", False, "x, peak: 0.13 at p = 0.5 (against)"),
        ("", False, "-"),
    ],
)
def test_what_decides_a_claim(numbers: str, holds: bool, expected: str) -> None:
    assert deciding(numbers, holds) == expected


def test_lists_are_indented_and_tables_stay_whole() -> None:
    lines = wrapped("- " + "word " * 30).splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("  word")
    table = f"| {'x' * 200} |"
    assert wrapped(table) == table
