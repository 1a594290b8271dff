import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.markers import MarkerStyle

from hashgnn.config.methods import PALETTE, Look, looks, same_looks


def lab(color: str) -> np.ndarray:
    """CIELAB of a color in hexadecimal, at D65."""
    rgb = np.array(mpl.colors.to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(np.maximum(to_xyz @ linear / [0.95047, 1, 1.08883], 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_no_two_of_the_sixteen_looks_are_alike() -> None:
    assert len(PALETTE) == len({look.marker for look in PALETTE}) == 16
    assert {look.marker for look in PALETTE} <= set(MarkerStyle.filled_markers)
    for one, other in itertools.combinations(PALETTE, 2):
        assert np.linalg.norm(lab(one.color) - lab(other.color)) > 25


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
