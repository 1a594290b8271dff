from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from hashgnn.config.methods import PALETTE, Look
from hashgnn.reporting.figures.style import (
    artist_label,
    counterpart,
    line_style,
    name_curves,
    name_point,
    panels,
    readable,
    seeds_note,
    spread,
    use_style,
)


@pytest.mark.parametrize("color", [look.color for look in PALETTE])
def test_text_in_the_color_of_a_curve_has_contrast(color: str) -> None:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    before = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    rgb = to_rgb(readable(color))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    after = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    assert 1.05 / (after + 0.05) > 4.45  # colors are rounded to 8 bits
    assert after == pytest.approx(before, abs=1e-9) or 1.05 / (before + 0.05) < 4.5


@pytest.mark.parametrize("color", ["#000000", "#FFFFFF"])
def test_the_extremes_are_made_readable(color: str) -> None:
    assert readable(color) == ("#000000" if color == "#000000" else readable("#ffffff"))
    assert max(to_rgb(readable(color))) < 0.47


def test_a_counterpart_has_the_other_form_of_the_marker() -> None:
    filled = Look("#112233", "D")

    assert counterpart(filled) == Look("#112233", "open D")
    assert counterpart(counterpart(filled)) == filled
    one, other = line_style(filled), line_style(counterpart(filled))
    assert (one["marker"], other["marker"]) == ("D", "D")
    assert (one["markerfacecolor"], one["markeredgecolor"]) == ("#112233", "white")
    assert (other["markerfacecolor"], other["markeredgecolor"]) == ("white", "#112233")


def drawn(ends: dict[str, float], columns: int = 1) -> Figure:
    """A figure of straight curves with these names and heights, from 0 to 1, at their ends."""
    use_style()
    figure, axes = panels(columns)
    for panel in axes:
        for name, end in ends.items():
            panel.plot([0, 1], [0.5, end], label=artist_label(name))
        panel.set_ylim(0, 1)
    name_curves(figure, "a note")
    figure.draw_without_rendering()
    return figure


def boxes(figure: Figure) -> dict[str, tuple[float, float]]:
    """The lower and the upper edge of each name at the end of a curve, in pixels."""
    found = {note.get_text(): Text.get_window_extent(note) for note in figure.axes[0].texts}
    return {name: (box.y0, box.y1) for name, box in found.items()}


def test_names_are_at_the_ends_of_their_curves() -> None:
    figure = drawn({"low": 0.1, "high": 0.9, "middle": 0.5})

    assert not figure.legends
    for name, end in {"low": 0.1, "high": 0.9, "middle": 0.5}.items():
        low, high = boxes(figure)[name]
        y = figure.axes[0].transData.transform((1, end))[1]
        assert (low + high) / 2 == pytest.approx(y, abs=2)  # pixels


def test_names_of_curves_that_end_close_together_do_not_overlap() -> None:
    figure = drawn({"a": 0.5, "b": 0.51, "c": 0.49})

    assert not figure.legends
    order = sorted(boxes(figure).items(), key=lambda item: item[1])
    assert [name for name, _ in order] == ["c", "a", "b"]
    for (_, (_, high)), (_, (low, _)) in pairwise(order):
        assert high <= low


def test_all_of_the_text_is_within_the_figure() -> None:
    figure = drawn({"HashGNN_nr, vectors": 0.2, "HashGNN_nr, codes": 0.9})

    for text in figure.axes[0].texts:
        box = Text.get_window_extent(text)
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.width + 1


def test_names_of_points_are_beside_their_panels_apart_from_each_other() -> None:
    use_style()
    figure, axes = panels(1, 2)
    for panel in axes:
        panel.plot([0, 1], [0.2, 0.3], label=artist_label("a curve"))
        panel.set_ylim(0, 1)
    for number in range(4):
        name_point(axes[0], f"point {number}", (0.5, 1 - number / 100), "#777777")
    name_curves(figure, "a note")
    figure.draw_without_rendering()

    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a curve"]
    order = sorted(boxes(figure).items(), key=lambda item: -item[1][0])
    assert [name for name, _ in order] == [f"point {number}" for number in range(4)]
    for (_, (low, _)), (_, (_, high)) in pairwise(order):
        assert high <= low
    assert order[0][1][1] <= axes[0].get_window_extent().y1
    assert all(note.get_position()[0] > 1 for note in axes[0].texts)
    assert not axes[1].texts


CROWD = {f"method {i}": 0.5 + i / 1000 for i in range(12)}


@pytest.mark.parametrize(
    ("ends", "columns"),
    [(CROWD, 1), ({"a": 0.1, "b": 0.9}, 2), ({"a very long name " * 3: 0.5, "b": 0.1}, 1)],
    ids=["crowded", "several columns", "too wide"],
)
def test_names_that_do_not_fit_are_in_a_legend(ends: dict[str, float], columns: int) -> None:
    figure = drawn(ends, columns)

    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == set(ends)
    assert not [text for panel in figure.axes for text in panel.texts]


def test_a_legend_reads_row_by_row_in_the_order_of_the_curves() -> None:
    figure = drawn({f"method {i}": i / 10 for i in range(1, 10)}, columns=3)

    (legend,) = figure.legends
    places = {t.get_text(): t.get_window_extent() for t in legend.get_texts()}
    read = sorted(places, key=lambda name: (-round(places[name].y0), places[name].x0))
    assert read == [f"method {i}" for i in range(9, 0, -1)]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=9).map(sorted), st.floats(0, 20))
def test_places_are_spread(places: list[float], gap: float) -> None:
    made = spread(places, gap)

    assert (np.diff(made) >= gap - 1e-9).all()
    assert made.mean() == pytest.approx(np.mean(places), abs=1e-6)
    if (np.diff(places) >= gap).all():
        assert made == pytest.approx(places, abs=1e-9)


def test_places_stay_within_bounds_where_there_is_room() -> None:
    assert spread([0.9, 0.95, 1.2], 0.1, (0, 1)) == pytest.approx([0.8, 0.9, 1.0])
    assert spread([-0.3, 0.05], 0.1, (0, 1)) == pytest.approx([0.0, 0.1])
    assert spread([0.4, 0.4, 0.4], 0.6, (0, 1)) == pytest.approx([0.0, 0.6, 1.2])


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        ([[0], [0]], "one seed, no intervals"),
        ([[0, 1], [0, 1]], "mean of 2 seeds; whisker: 95 % t interval of the mean"),
        ([[0, 1], [0, 1, 2]], "mean of 2 to 3 seeds; whisker: 95 % t interval of the mean"),
    ],
)
def test_the_note_says_what_an_interval_is(seeds: list[list[int]], expected: str) -> None:
    rows = [("d", f"m{i}", 8, seed) for i, own in enumerate(seeds) for seed in own]
    frame = pd.DataFrame(rows, columns=["dataset", "model", "bits", "seed"])

    assert seeds_note(frame, "whisker") == expected
