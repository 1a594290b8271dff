"""Recall of each search of each training, with the bytes that it keeps of an item.

The table, the figures and the verdict about quantization are made of these rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.config.base import parse
from hashgnn.evaluation.statistics import read_metrics
from hashgnn.files import load_array
from hashgnn.models.quantizer import Parameters, bytes_of_item

CUTOFF = 50
SEARCHES = {
    "hamming": "Hamming",
    "asymmetric": "asymmetric",
    "asymmetric re-rank": "asymmetric re-rank",
    "continuous": "floats",
    "decoded": "asymmetric, decoded",
}
COLUMNS = ["dataset", "bytes", "model", "bits", "quantizer", "pretrained", "search"]
_OF_CODES = ("hamming", "asymmetric", "asymmetric re-rank")
_FLOAT_BYTES = 4

Widths = Mapping[tuple[str, str, int], int]


def read_footprints(
    metrics: Sequence[Path], vectors: Sequence[Path], settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Return ``footprints`` of files of trainings, in the order of the settings' ``runs``."""
    widths = {
        (dataset, model, bits): load_array(file, memory_map=True).shape[1]
        for (dataset, model, bits, _), file in zip(settings["runs"], vectors, strict=True)
    }
    return footprints(read_metrics(metrics), widths, settings)


def footprints(frame: pd.DataFrame, widths: Widths, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return HR@50 of each training and search with the bytes that it keeps of an item.

    Args:
        frame: Rows of metrics.
        widths: Dimensions of the item vectors by data set, model and bits.
        settings: ``quantized``: models that quantize another one, with this one and the
            parameters; ``continuous``: models without codes of their own.

    Floats that all items share, such as centroids and rotations, are not counted.
    """
    shown = frame[(frame.metric == "hr") & (frame.n == CUTOFF)]
    rows = []
    for row in shown.to_dict("records"):
        width = widths[row["dataset"], row["model"], row["bits"]]
        pretrained, used = settings["quantized"].get(row["model"], ("", {}))
        made = {"pretrained": pretrained, "quantizer": used.get("quantizer", "")}
        for search, size in _shown(row["model"], row["search"], row["bits"], width, settings):
            rows.append(row | made | {"search": search, "bytes": size})
    found = pd.DataFrame(rows, columns=[*COLUMNS, "metric", "n", "seed", "value"])
    return found.sort_values(["dataset", "bytes"], kind="stable", ignore_index=True)


def _shown(
    model: str, search: str, bits: int, width: int, settings: Mapping[str, Any]
) -> Iterator[tuple[str, int]]:
    """Yield how the row of a search is called, with its bytes per item, if it is shown."""
    continuous, quantized = model in settings["continuous"], model in settings["quantized"]
    if search == "continuous" and continuous and quantized:
        parameters = parse(Parameters, settings["quantized"][model][1])
        yield "decoded", bytes_of_item(parameters, bits)
    elif search == "continuous" and not quantized:
        yield search, _FLOAT_BYTES * width
    elif search in _OF_CODES and not continuous:
        yield search, -(-bits // 8)


def front(frame: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Return the rows that no other has both a smaller or equal ``x`` and a larger ``y`` than.

    The Pareto front, by ascending ``x`` and ``y``.
    """
    best = frame.sort_values([x, y], ascending=[True, False])
    return best[best[y] > best[y].cummax().shift(fill_value=float("-inf"))]
