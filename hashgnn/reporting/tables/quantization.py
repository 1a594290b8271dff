"""Table of recall by bytes per item: learned codes, quantized vectors, and floats."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.config.base import parse
from hashgnn.evaluation.statistics import over_seeds, read_metrics
from hashgnn.files import load_array
from hashgnn.models.quantizer import Parameters, bytes_of_item
from hashgnn.reporting.tables import run_table

CUTOFF = 50
SEARCHES = {
    "hamming": "Hamming",
    "asymmetric": "asymmetric",
    "continuous": "floats",
    "decoded": "asymmetric, decoded",
}
_KEYS = ["dataset", "bytes", "model", "bits", "quantizer", "pretrained", "search"]
_FLOAT_BYTES = 4


def quantization(argv: Sequence[str] | None = None) -> int:
    """Make the table of recall by bytes per item, of learned codes and of quantized vectors."""
    return run_table(quantization.__doc__, make_quantization, argv)


def make_quantization(args: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return numbers and printed form.

    ``inputs`` are ``metrics.csv`` of all trainings, then their ``item_vectors.npy``.
    """
    half = len(args.inputs) // 2
    widths = _widths(args.settings["runs"], args.inputs[half:])
    numbers = measure(read_metrics(args.inputs[:half]), widths, args.settings)
    names = dict(args.settings["datasets"]), dict(args.settings["models"])
    return numbers, print_quantization(numbers, *names)


def _widths(
    runs: Sequence[Sequence[Any]], files: Sequence[Path]
) -> dict[tuple[str, str, int], int]:
    """Return the dimensions of the item vectors by data set, model and bits."""
    return {
        (dataset, model, bits): load_array(file, memory_map=True).shape[1]
        for (dataset, model, bits, _), file in zip(runs, files, strict=True)
    }


def measure(
    frame: pd.DataFrame, widths: Mapping[tuple[str, str, int], int], settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Return HR@50 of each training and search with the bytes that it keeps of an item.

    Args:
        frame: Rows of metrics.
        widths: Dimensions of the item vectors by data set, model and bits.
        settings: ``quantized``: models that quantize another one, with this one and the
            parameters; ``continuous``: models without codes of their own.

    Floats that all items share, such as centroids and rotations, are not counted.
    """
    shown = frame[(frame.metric == "hr") & (frame.n == CUTOFF)]
    numbers = over_seeds(shown)
    rows = []
    for row in numbers.to_dict("records"):
        width = widths[row["dataset"], row["model"], row["bits"]]
        for search, size in _shown(row["model"], row["search"], row["bits"], width, settings):
            pretrained, used = settings["quantized"].get(row["model"], ("", {}))
            kind = used.get("quantizer", "")
            rows.append(
                row | {"search": search, "bytes": size, "pretrained": pretrained, "quantizer": kind}
            )
    found = pd.DataFrame(rows, columns=[*_KEYS, "metric", "n", "mean", "low", "high", "seeds"])
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
    elif search in ("hamming", "asymmetric") and not continuous:
        yield search, -(-bits // 8)


def print_quantization(
    numbers: pd.DataFrame, datasets: Mapping[str, str], models: Mapping[str, str]
) -> pd.DataFrame:
    """Return a row per data set, bytes, method and search."""
    return pd.DataFrame(
        {
            "Dataset": numbers.dataset.map(datasets),
            "Bytes an item": numbers.bytes.astype(str),
            "Method": numbers.model.map(models),
            "Search": numbers.search.map(SEARCHES),
            f"HR@{CUTOFF}": numbers["mean"].map("{:.4f}".format),
        }
    )
