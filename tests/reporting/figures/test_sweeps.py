from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from hashgnn.reporting.figures.style import use_style
from hashgnn.reporting.figures.sweeps import make_fig7, ratio_is_constant


def sweep(name: str, points: list[list[Any]]) -> dict[str, Any]:
    return {
        "id": name,
        "name": f"the {name}",
        "model": "hashgnn",
        "model_name": "HashGNN",
        "points": points,
    }


WEIGHT = sweep("weight", [[0, "d", "hashgnn@weight=0", 32], [0.5, "d", "hashgnn", 32]])
LENGTH = sweep("length", [[16, "d", "hashgnn", 16], [32, "d", "hashgnn", 32]])


@pytest.fixture
def metrics(evaluated: Any) -> list[Path]:
    return [
        evaluated("hashgnn"),
        evaluated("hashgnn@weight=0", more=0.05),
        evaluated("hashgnn", bits=16, more=-0.05),
    ]


def test_figure_5_has_a_panel_a_sweep_and_shares_runs(metrics: list[Path], draw: Any) -> None:
    numbers, made = draw("fig5", metrics, sweeps=[WEIGHT, LENGTH])

    shown = numbers[numbers.search == "hierarchical"].set_index(["sweep", "at"])["value"].round(9)
    assert shown.to_dict() == {
        ("weight", 0): 0.4,
        ("weight", 0.5): 0.35,
        ("length", 16): 0.3,
        ("length", 32): 0.35,
    }
    for text in ("(a) Data", "(b) Data", "the weight", "HashGNN, Hamming search"):
        assert f"{text}<" in made["svg"].decode()


def test_figure_7_puts_the_falling_p_beside_the_fixed_ones(metrics: list[Path], draw: Any) -> None:
    fixed = sweep("p", [[1, "d", "hashgnn@weight=0", 32]])

    numbers, made = draw("fig7", metrics[:2], sweeps=[fixed])

    shown = numbers[numbers.search == "hamming"].set_index("at")["value"].round(9)
    assert shown.to_dict() == {"1": 0.3, "dynamic": 0.25}
    assert "dynamic<" in made["svg"].decode()


def test_figure_7_shows_dots_with_intervals_on_an_axis_of_their_own_range(evaluated: Any) -> None:
    use_style()
    fixed = sweep("p", [[1, "d", "hashgnn@p=1", 32], [0.4, "d", "hashgnn@p=0.4", 32]])
    ids = ("hashgnn@p=1", "hashgnn@p=0.4", "hashgnn")
    inputs = [evaluated(model, seed, more=10.0) for model in ids for seed in (0, 1)]
    looks = {"hashgnn": ["#ff0000", "s"]}
    settings = {"datasets": [["d", "Data"]], "sweeps": [fixed], "looks": looks}

    figure, _ = make_fig7(Namespace(inputs=inputs, settings=settings))

    titles = [panel.get_title() for panel in figure.axes]
    assert titles == ["Data\nhierarchical search", "Data\nHamming search"]
    for panel, mean in zip(figure.axes, (10.4, 10.3), strict=True):
        low, high = panel.get_ylim()
        half = 0.05 * 12.706204736174698  # the standard error of two seeds and t(0.975; 1)
        assert 9 < low < mean - half < mean + half < high < 12
        dots = [line for line in panel.get_lines() if line.get_marker() in ("o", "s")]
        shown = [
            (line.get_color(), [x for x, y in line.get_xydata() if y == pytest.approx(mean)])
            for line in dots
        ]
        assert shown == [("#777777", [0, 1]), ("#ff0000", [2.5])]  # fixed p, and falling


def test_figure_7_says_what_its_grid_lacks(evaluated: Any, draw: Any, capsys: Any) -> None:
    fixed = sweep("p", [[1, "d", "hashgnn@p=1", 32]])

    with pytest.raises(AssertionError):
        draw("fig7", [evaluated("hashgnn@p=1")], sweeps=[fixed])
    assert "grids.fig7.models: lacks hashgnn" in capsys.readouterr().err


def test_figure_5_has_a_row_of_panels_for_each_length(evaluated: Any, panels_of: Any) -> None:
    ids = ("hashgnn", "hashgnn@weight=0")
    metrics = [evaluated(model, bits=bits) for model in ids for bits in (16, 32)]
    points = [[at, "d", ids[at], bits] for bits in (16, 32) for at in (0, 1)]

    drawn = panels_of("fig5", metrics, sweeps=[sweep("weight", points), LENGTH])

    # Two searches a panel, two points on each curve; the lengths themselves are swept once.
    expected = ["(a) Data, 16 bits", "(b) Data", "(c) Data, 32 bits"]
    assert drawn == {title: [2, 2] for title in expected}


def test_figure_7_has_a_panel_for_each_length(evaluated: Any, draw: Any) -> None:
    ids = ("hashgnn", "hashgnn@p=1")
    metrics = [evaluated(model, bits=bits) for model in ids for bits in (16, 32)]
    fixed = sweep("p", [[1, "d", "hashgnn@p=1", bits] for bits in (16, 32)])

    numbers, made = draw("fig7", metrics, sweeps=[fixed])

    assert sorted(numbers.bits.unique()) == [16, 32]
    for text in ("Hamming search, 16 bits", "hierarchical search, 32 bits"):
        assert f"{text}<" in made["svg"].decode()


@pytest.mark.parametrize(
    ("values", "expected"),
    [([8, 16, 32], True), ([1, 5, 10], False), ([0, 1, 2], False), ([8, 16], False)],
)
def test_a_logarithmic_axis_is_for_constant_factors(values: list[int], expected: bool) -> None:
    assert ratio_is_constant(values) is expected
