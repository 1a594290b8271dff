import itertools
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import yaml
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hashgnn.config.methods import PALETTE, Look, looks, same_looks
from hashgnn.reporting.figures.style import line_style, use_style


def linear(color: str) -> np.ndarray:
    """Linear RGB of a color in hexadecimal."""
    rgb = np.array(mpl.colors.to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def oklab(color: str) -> np.ndarray:
    """OKLab of a color in hexadecimal (Ottosson, 2020)."""
    to_lms = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.array(to_lab) @ np.cbrt(np.array(to_lms) @ linear(color))


def ink(marker: str) -> np.ndarray:
    """Darkness, from 0 to 1, of the pixels of a marker at print size, 300 to the inch."""
    use_style()
    figure = Figure(figsize=(0.12, 0.12), dpi=300)
    panel = figure.add_axes((0, 0, 1, 1))
    panel.plot([0], [0], **line_style(Look("#000000", marker)))
    panel.set_axis_off()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return 1 - np.asarray(canvas.buffer_rgba())[..., 0] / 255


def test_no_two_of_the_sixteen_looks_are_alike() -> None:
    assert len(PALETTE) == 16
    inks = {look.marker: ink(look.marker) for look in PALETTE}
    for one, other in itertools.combinations(PALETTE, 2):
        assert np.linalg.norm(oklab(one.color) - oklab(other.color)) > 0.12, (one, other)
        a, b = inks[one.marker], inks[other.marker]
        assert np.abs(a - b).sum() > 0.2 * max(a.sum(), b.sum()), (one, other)


@pytest.mark.parametrize("color", [look.color for look in PALETTE])
def test_every_color_is_seen_on_white(color: str) -> None:
    assert 1.05 / (0.05 + linear(color) @ [0.2126, 0.7152, 0.0722]) > 2.2


def test_each_shipped_method_has_its_own_look_of_the_palette() -> None:
    shipped = yaml.safe_load((Path(__file__).parents[2] / "config/config.yaml").read_text())[
        "models"
    ]

    found = list(looks(shipped).values())
    assert len(set(found)) == len(found)
    assert set(found) <= set(PALETTE)


def test_what_is_given_is_kept_and_the_rest_is_free() -> None:
    first, last = PALETTE[0], PALETTE[-1]
    models = {
        "a": {},
        "b": {"color": first.color.lower(), "marker": first.marker},
        "c": {"color": last.color},
        "d": {"marker": "o"},
    }

    found = looks(models)

    assert list(found) == ["a", "b", "c", "d"]
    assert found["b"] == first
    assert (found["c"].color, found["d"].marker) == (last.color, "o")
    assert len(set(found.values())) == 4


@pytest.mark.parametrize("number", [16, 17, 100])
def test_no_two_models_look_alike(number: int) -> None:
    found = looks({f"m{i}": {} for i in range(number)})

    assert len(set(found.values())) == number
    assert set(looks({f"m{i}": {} for i in range(16)}).values()) == set(PALETTE)


def test_a_model_that_is_added_changes_no_other() -> None:
    models = {f"m{i}": {} for i in range(20)}

    before, after = looks(models), looks({**models, "new": {}})

    assert {id: after[id] for id in before} == before


def test_models_that_are_told_to_look_alike_are_named() -> None:
    one = {"color": "#AB0000", "marker": "s"}
    models = {"a": one, "b": {**one, "color": "#ab0000"}, "c": {**one, "marker": "o"}}

    (line,) = same_looks(models)

    assert line.startswith("models.b.color: b and a have the same color and marker, #AB0000 's'")
    assert looks(models)["a"] == Look("#AB0000", "s")
