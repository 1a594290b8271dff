"""At print size no text of a figure lies on another, and none is cut off."""

from argparse import Namespace
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from hashgnn.config.methods import PALETTE
from hashgnn.reporting.figures import curves, sweeps, tradeoffs
from hashgnn.reporting.figures.style import use_style

MODELS = ("HashGNN", "HashGNN_nr", "Hash_gumb", "GraphSage", "MF (ALS)", "HashGNN+")
LOOKS = {model: list(look) for model, look in zip(MODELS, PALETTE, strict=False)}
LONG = [["d", "Taobao, public subset (stand-in for Alibaba)"]]


def texts(figure: Figure) -> dict[Text, Bbox]:
    """The extents of all texts that are seen, in pixels; the lines of annotations are left out."""
    figure.draw_without_rendering()
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    hidden = {text for panel in figure.axes if not panel.get_visible() for text in panel.findobj()}
    # Ticks outside the range of their axis are not drawn.
    for panel in figure.axes:
        for axis, (low, high) in (
            (panel.xaxis, sorted(panel.get_xlim())),
            (panel.yaxis, sorted(panel.get_ylim())),
        ):
            hidden |= {
                tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high
            }
    return {text: Text.get_window_extent(text) for text in shown if text not in hidden}


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """The pairs of texts that lie on one another."""
    boxes = texts(figure)
    return [
        (one.get_text(), other.get_text())
        for one, other in combinations(boxes, 2)
        if boxes[one].padded(0.5).overlaps(boxes[other].padded(0.5))
    ]


def cut_off(figure: Figure) -> list[str]:
    """The texts that reach beyond the left or right edge of the page."""
    width = figure.bbox.width
    return [
        text.get_text() for text, box in texts(figure).items() if box.x0 < -1 or box.x1 > width + 1
    ]


def drawn(name: str, evaluated: Any, tmp_path: Path, datasets: Sequence[Sequence[str]]) -> Figure:
    """One of the figures with the most text, of results made by hand."""
    settings: dict[str, Any] = {"datasets": datasets, "looks": LOOKS, "continuous": ["GraphSage"]}
    settings |= {"models": [[model, model] for model in MODELS], "quantized": {}}
    if name == "fig7":
        points = [[at / 10, "d", f"HashGNN@p={at}", 32] for at in range(10, 3, -1)]
        swept = {"id": "p", "name": "p", "model": "HashGNN", "model_name": "HashGNN"}
        settings["sweeps"] = [swept | {"points": points}]
        inputs = [evaluated(model) for model in ("HashGNN", *(point[2] for point in points))]
        return sweeps.make_fig7(Namespace(inputs=inputs, settings=settings))[0]
    shown = MODELS[:2] if name == "fig8 of few methods" else MODELS  # named at their ends
    lengths = (32,) if name in ("fig3", "fig8") else (32, 64)
    settings["models"] = [[model, model] for model in shown]
    runs = [["d", model, bits, 0] for model in shown for bits in lengths]
    inputs = [
        evaluated(model, bits=bits, more=number / 100)
        for number, (_, model, bits, _) in enumerate(runs)
    ]
    if name == "fig3":
        return curves.make_fig3(Namespace(inputs=inputs, settings=settings))[0]
    vectors = tmp_path / "vectors.npy"
    np.save(vectors, np.zeros((3, 32), np.float32))
    everything = Namespace(
        inputs=inputs + [vectors] * len(inputs), settings=settings | {"runs": runs}
    )
    return tradeoffs.make_fig8(everything)[0]


@pytest.mark.parametrize(
    "name", ["fig3", "fig7", "fig8", "fig8 of two lengths", "fig8 of few methods"]
)
def test_no_text_lies_on_another_or_is_cut_off(name: str, evaluated: Any, tmp_path: Path) -> None:
    use_style()

    figure = drawn(name, evaluated, tmp_path, LONG)

    assert overlapping(figure) == []
    assert cut_off(figure) == []
