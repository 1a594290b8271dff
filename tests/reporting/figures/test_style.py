import pytest
from matplotlib.colors import to_rgb

from hashgnn.config.methods import PALETTE, Look
from hashgnn.reporting.figures.style import counterpart, line_style, readable


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
