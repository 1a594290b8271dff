import html
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest

from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting.figures.curves import make_fig1, make_fig3

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
    for text in (
        "HashGNN",
        "GraphSage (sign)",
        "GraphSage (continuous)",
        "Data",
        "mean of 2 seeds; band: 95 % t interval of the mean",
    ):
        assert f"{text}<" in svg, text
    assert made == again  # equal data give equal files


def test_figure_1_ranks_each_method_in_its_own_way(evaluated: Any, draw: Any) -> None:
    numbers, made = draw("fig1", both(evaluated), **SETTINGS)

    assert set(zip(numbers.model, numbers.search, strict=True)) == {
        ("hashgnn", "hamming"),
        ("graphsage", "continuous"),
    }
    assert "HashGNN, Hamming<" in made["svg"].decode()


def test_a_band_is_the_t_interval_over_seeds(evaluated: Any) -> None:
    paths = [evaluated("hashgnn", seed, more=5.0) for seed in (0, 1)]
    settings = {"datasets": [["d", "Data"]], "models": [["hashgnn", "HashGNN"]]}
    settings |= {"continuous": [], "looks": {"hashgnn": ["#ff0000", "s"]}}

    figure, _ = make_fig1(Namespace(inputs=paths, settings=settings))

    (panel,) = figure.axes
    (line,), (band,) = panel.get_lines(), panel.collections
    means = {20: 5.15, 50: 5.3}
    assert dict(line.get_xydata()) == pytest.approx(means)
    half = 0.05 * 12.706204736174698  # the standard error of two seeds and t(0.975; 1)
    corners = {(x, round(y, 6)) for x, y in band.get_paths()[0].vertices}
    assert corners == {(n, round(m + s * half, 6)) for n, m in means.items() for s in (-1, 1)}


@pytest.mark.parametrize(
    ("make", "expected"), [(make_fig1, "=GraphSage, continuous"), (make_fig3, "=HashGNN")]
)
def test_the_method_that_a_figure_is_about_is_on_top(
    evaluated: Any, make: Any, expected: str
) -> None:
    names = [["hashgnn", "HashGNN"], ["hash_ste", "Hash_ste"], ["graphsage", "GraphSage"]]
    looks = {id: ["#ff0000", "o"] for id, _ in names}
    settings = {"datasets": [["d", "Data"]], "models": names, "continuous": ["graphsage"]}
    paths = [evaluated(id) for id, _ in names]

    figure, _ = make(Namespace(inputs=paths, settings=settings | {"looks": looks}))

    drawn = {line.get_label(): line for line in figure.axes[0].get_lines()}
    top = drawn.pop(expected)
    assert all(top.zorder > line.zorder for line in drawn.values())
    assert all(top.get_linewidth() > line.get_linewidth() for line in drawn.values())


def test_one_seed_is_called_one(evaluated: Any, draw: Any) -> None:
    _, made = draw("fig1", [evaluated(model) for model, _ in NAMES], **SETTINGS)

    assert "one seed, no intervals<" in made["svg"].decode()


@pytest.mark.parametrize("figure", ["fig1", "fig3"])
def test_each_length_of_code_has_its_own_panel(evaluated: Any, panels_of: Any, figure: str) -> None:
    metrics = [evaluated("hashgnn", bits=bits, more=bits / 200) for bits in (16, 32)]

    drawn = panels_of(figure, metrics, models=[["hashgnn", "HashGNN"]], continuous=[])

    # Two cutoffs on each of two curves, not four on one.
    assert drawn == {"Data, 16 bits": [2], "Data, 32 bits": [2]}


ODD_NAMES = [
    "cost in $ and $",
    r"a\b {c} 50 % & #1",
    "x^2 ~ y_1 | z",
    "_hidden",
    "=equals",
    r"$\frac{1}{2}$",
]


def test_names_are_shown_as_they_are(evaluated: Any, draw: Any) -> None:
    ids = [f"m{number}" for number in range(len(ODD_NAMES))]
    models = [[id, name] for id, name in zip(ids, ODD_NAMES, strict=True)]

    _, made = draw(
        "fig3",
        [evaluated(id) for id in ids],
        datasets=[["d", r"$\alpha$ {shop} & 50 %"]],
        models=models,
        continuous=[],
    )

    texts = re.findall(r"<text[^>]*>(.*?)</text>", made["svg"].decode())
    shown = set(map(html.unescape, texts))
    assert {*ODD_NAMES, r"$\alpha$ {shop} & 50 %"} <= shown


def test_a_matplotlibrc_of_the_user_changes_no_figure(
    evaluated: Any, draw: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = both(evaluated)
    _, expected = draw("fig3", metrics, **SETTINGS)

    monkeypatch.setitem(mpl.rcParams, "lines.linewidth", 9.0)  # as matplotlibrc would, at import
    monkeypatch.setitem(mpl.rcParams, "axes.facecolor", "red")
    monkeypatch.setitem(mpl.rcParams, "savefig.pad_inches", 3.0)
    _, made = draw("fig3", metrics, **SETTINGS)

    assert made == expected


MODELS = [["hashgnn_nr", "HashGNN_nr"], ["hash_ste", "Hash_ste"]]
RUNS = [[*("d", model, 8), seed] for model, _ in MODELS for seed in (0, 1)]


def history(folder: Path, rows: int, loss: float = 1.0) -> Path:
    frame = pd.DataFrame(
        {
            "iteration": [10 * (row + 1) for row in range(rows)],
            "epoch": 1,
            "p": 0.5,
            "auc": 0.75,
            "auc_codes": 0.625,
            "loss": loss,
        }
    )
    path = folder / f"history{loss}.csv"
    frame.to_csv(path, index=False)
    return path


def test_figure_4_shows_the_loss_of_every_run(tmp_path: Path, draw: Any) -> None:
    paths = [history(tmp_path, 3, loss) for loss in (1.0, 2.0, 3.0, 5.0)]

    numbers, made = draw("fig4", paths, models=MODELS, runs=RUNS)

    assert numbers.groupby("model")["value"].mean().to_dict() == {"hashgnn_nr": 1.5, "hash_ste": 4}
    assert numbers["iteration"].tolist() == 4 * [10, 20, 30]
    assert "HashGNN_nr<" in made["svg"].decode()


def test_figure_6_shows_auc_by_vectors_and_by_codes(tmp_path: Path, draw: Any) -> None:
    paths = [history(tmp_path, 2)] * 4

    numbers, made = draw("fig6", paths, models=MODELS, runs=RUNS)

    assert numbers.groupby("quantity")["value"].max().to_dict() == {"auc": 0.75, "auc_codes": 0.625}
    assert "Hash_ste, codes<" in made["svg"].decode()


def test_a_history_without_rows_is_refused(tmp_path: Path, draw: Any, capsys: Any) -> None:
    with pytest.raises(AssertionError):
        draw("fig4", [history(tmp_path, 0)] * 4, models=MODELS, runs=RUNS)

    assert "set training.history_every below its iterations" in capsys.readouterr().err


@pytest.mark.parametrize("figure", ["fig4", "fig6"])
def test_each_length_of_code_has_its_own_panel_of_courses(
    tmp_path: Path, panels_of: Any, figure: str
) -> None:
    runs = [["d", "hash_ste", bits, 0] for bits in (8, 16)]
    paths = [history(tmp_path, 3, loss) for loss in (1.0, 2.0)]

    drawn = panels_of(figure, paths, models=[["hash_ste", "Hash_ste"]], runs=runs)

    curves = {"fig4": [3], "fig6": [3, 3]}[figure]
    assert drawn == {"Data, 8 bits": curves, "Data, 16 bits": curves}
