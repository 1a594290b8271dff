"""Results made by hand, and figures drawn from them by their command line."""

import json
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting.entries import FIGURES, main
from hashgnn.reporting.figures import curves, sweeps

CUTOFFS = (20, 50)
SEARCHES = {"hamming": 0.0, "hierarchical": 0.1, "continuous": 0.2}

MAKES = {
    "fig1": curves.make_fig1,
    "fig3": curves.make_fig3,
    "fig4": curves.make_fig4,
    "fig5": sweeps.make_fig5,
    "fig6": curves.make_fig6,
    "fig7": sweeps.make_fig7,
}

Draw = Callable[..., tuple[pd.DataFrame, dict[str, bytes]]]


def filled(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with what every figure gets: one data set, and a look for every model."""
    ids = [id for id, _ in settings.get("models", [])]
    ids += [sweep["model"] for sweep in settings.get("sweeps", [])]
    looks = {id: [f"#0000{number:02x}", "o"] for number, id in enumerate(ids)}
    return {"datasets": [["d", "Data"]], "continuous": [], "looks": looks, **settings}


@pytest.fixture
def evaluated(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``metrics.csv`` of one training; HR@n by a search is n / 200, its bonus and more."""

    def write(model: str, seed: int = 0, bits: int = 32, more: float = 0.0) -> Path:
        rows = [
            ("d", model, bits, search, metric, n, seed, n / 200 + bonus + seed / 10 + more)
            for search, bonus in SEARCHES.items()
            for metric in ("hr", "ndcg")
            for n in CUTOFFS
        ]
        path = tmp_path / f"{model}.{bits}.{seed}.csv"
        pd.DataFrame(rows, columns=COLUMNS).to_csv(path, index=False)
        return path

    return write


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Draws a figure; returns its numbers and its files."""

    def run(name: str, inputs: Sequence[Path], **settings: Any) -> tuple[Any, dict[str, bytes]]:
        outputs = {kind: tmp_path / f"{name}.{kind}" for kind in ("pdf", "svg", "csv")}
        settings = filled(settings)
        arguments = [FIGURES[name], *map(str, inputs), "--settings", json.dumps(settings)]
        for kind, path in outputs.items():
            arguments += [f"--{kind}", str(path)]
        assert main(arguments) == 0
        made = {kind: path.read_bytes() for kind, path in outputs.items()}
        return pd.read_csv(outputs["csv"]), made

    return run


@pytest.fixture
def panels_of() -> Callable[..., dict[str, list[int]]]:
    """Draws a figure; returns how many points each curve has, by the title of its panel."""

    def run(name: str, inputs: Sequence[Path], **settings: Any) -> dict[str, list[int]]:
        figure, _ = MAKES[name](Namespace(inputs=inputs, settings=filled(settings)))
        return {
            panel.get_title(): [len(line.get_xdata()) for line in panel.get_lines()]
            for panel in figure.axes
            if panel.get_visible()
        }

    return run
