from pathlib import Path
from typing import Any

from hashgnn.metrics.tidy import COLUMNS

NAMES = [["graphsage", "GraphSage"], ["hashgnn", "HashGNN"]]
SETTINGS: dict[str, Any] = {"models": NAMES, "continuous": ["graphsage"]}


def both(evaluated: Any) -> list[Path]:
    return [evaluated(model, seed) for model, _ in NAMES for seed in (0, 1)]


def test_figure_3_shows_hamming_search_and_the_continuous_reference(
    evaluated: Any, draw: Any
) -> None:
    metrics = both(evaluated)

    numbers, made = draw("fig3", metrics, **SETTINGS)
    _, again = draw("fig3", metrics, **SETTINGS)

    assert list(numbers.columns) == COLUMNS
    assert set(zip(numbers.model, numbers.search, strict=True)) == {
        ("hashgnn", "hamming"),
        ("graphsage", "hamming"),
        ("graphsage", "continuous"),
    }
    assert set(numbers.metric) == {"hr"}
    assert len(numbers) == 3 * 2 * 2
    svg = made["svg"].decode()
    for text in ("HashGNN", "GraphSage (sign)", "GraphSage (continuous)", "Data", "(n = 2)"):
        assert f"{text}<" in svg, text
    assert made == again  # equal data give equal files


def test_figure_1_ranks_each_method_in_its_own_way(evaluated: Any, draw: Any) -> None:
    numbers, made = draw("fig1", both(evaluated), **SETTINGS)

    assert set(zip(numbers.model, numbers.search, strict=True)) == {
        ("hashgnn", "hamming"),
        ("graphsage", "continuous"),
    }
    assert "HashGNN, Hamming<" in made["svg"].decode()


def test_one_seed_is_called_one(evaluated: Any, draw: Any) -> None:
    _, made = draw("fig1", [evaluated(model) for model, _ in NAMES], **SETTINGS)

    assert "one seed (n = 1)<" in made["svg"].decode()
