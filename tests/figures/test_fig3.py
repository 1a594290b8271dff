import json
from pathlib import Path

import pandas as pd

from hashgnn.figures.fig3 import main
from hashgnn.metrics.tidy import COLUMNS

CUTOFFS = (20, 50)


def write_metrics(path: Path, model: str, seed: int) -> None:
    rows = [
        ("d", model, 32, search, metric, n, seed, n / 200 + seed / 10)
        for search in ("hamming", "hierarchical", "continuous")
        for metric in ("hr", "ndcg")
        for n in CUTOFFS
    ]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(path, index=False)


def draw(folder: Path, metrics: list[Path]) -> dict[str, bytes]:
    outputs = {kind: folder / f"fig3.{kind}" for kind in ("pdf", "svg", "csv")}
    settings = {
        "datasets": [["d", "Data"]],
        "models": [["graphsage", "GraphSage"], ["hashgnn", "HashGNN"]],
    }
    arguments = ["--metrics", *map(str, metrics), "--settings", json.dumps(settings)]
    for kind, path in outputs.items():
        arguments += [f"--{kind}", str(path)]
    assert main(arguments) == 0
    return {kind: path.read_bytes() for kind, path in outputs.items()}


def test_fig3_shows_what_its_numbers_say(tmp_path: Path) -> None:
    metrics = []
    for model in ("hashgnn", "graphsage"):
        for seed in (0, 1):
            metrics.append(tmp_path / f"{model}{seed}.csv")
            write_metrics(metrics[-1], model, seed)

    made = draw(tmp_path, metrics)
    again = draw(tmp_path, metrics)

    frame = pd.read_csv(tmp_path / "fig3.csv")
    assert list(frame.columns) == COLUMNS
    assert set(zip(frame.model, frame.search, strict=True)) == {
        ("hashgnn", "hamming"),
        ("graphsage", "hamming"),
        ("graphsage", "continuous"),
    }
    assert set(frame.metric) == {"hr"}
    assert len(frame) == 3 * len(CUTOFFS) * 2
    svg = made["svg"].decode()
    for text in ("HashGNN", "GraphSage (sign)", "GraphSage (continuous)", "Data", "2 seeds"):
        assert f">{text}" in svg or text in svg
    assert made == again  # equal data give equal files
