"""The page about quantization is filled in from results made by hand, and again."""

import runpy
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.reporting.tables import to_markdown
from hashgnn.reporting.tables.quantization import print_quantization

SCRIPT = Path(__file__).parents[2] / "docs/reproduction/fill_quantization.py"
ROWS = [
    ("a", 4, "own", "hamming", 0.1),
    ("a", 4, "own", "asymmetric", 0.2),
    ("a", 4, "own", "asymmetric re-rank", 0.19),
    ("a", 128, "own", "continuous", 0.3),
    ("a", 256, "own", "continuous", 0.4),
    ("b", 4, "own", "hamming", 0.15),
    ("b", 32, "pq", "decoded", 0.25),
]


def test_the_page_gets_recall_the_figures_that_are_there_and_the_verdict(tmp_path: Path) -> None:
    results, page = tmp_path / "run/results", tmp_path / "page.md"
    numbers = pd.DataFrame(ROWS, columns=["dataset", "bytes", "model", "search", "mean"])
    names: Any = {"a": "Set A", "b": "Set_B"}, {"own": "Own", "pq": "MF, PQ"}
    script = runpy.run_path(str(SCRIPT))
    for made in ("figures/fig8.svg", "results/quantization_verdict.md"):
        (tmp_path / "run" / made).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "run" / made).write_text("| a verdict |\n")
    numbers.to_csv(results / "quantization.csv", index=False)
    (results / "quantization.md").write_text(to_markdown(print_quantization(numbers, *names)))
    page.write_text(f"above\n{script['BEGIN']}{script['END']}\nbelow\n")

    for _ in range(2):
        script["main"](tmp_path / "run", page)

    text = page.read_text()
    rows = [
        [c.strip() for c in line.strip("|").split("|")]
        for line in text.splitlines()
        if "0." in line
    ]
    assert rows == [
        ["Own", "Hamming", "4", "0.1000", "0.1500"],
        ["Own", "asymmetric", "4", "0.2000", ""],
        ["MF, PQ", "asymmetric, decoded", "32", "", "0.2500"],
        ["Own", "floats", "128", "0.3000", ""],
    ]
    (header,) = (line for line in text.splitlines() if "Method" in line)
    assert [c.strip() for c in header.split("|")[-3:-1]] == ["Set A", "Set_B"]
    assert text.count("| a verdict |") == 1
    assert text.count("](reproduction/fig8.svg)") == 1
    assert text.startswith("above\n")
    assert "fig9" not in text  # which is not there
    assert text.endswith("-->\nbelow\n")
