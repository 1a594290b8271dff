"""Table of recall by bytes per item, and the verdict: learned codes beside quantized vectors.

The table, the verdict and the figures about quantization are made of footprints: the recall of each
search of each training, with the bytes that it keeps of an item.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hashgnn.config.base import parse
from hashgnn.errors import InputError
from hashgnn.evaluation.statistics import (
    Difference,
    difference,
    over_seeds,
    read_metrics,
    t_interval,
    user_values,
)
from hashgnn.files import load_array
from hashgnn.models.quantizer import Parameters, bytes_of_item
from hashgnn.reporting.tables import run_table

# Footprints.

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


# Tables.

_EVALUATED = {"decoded": "continuous"}  # searches that metrics have another name for


def quantization(argv: Sequence[str] | None = None) -> int:
    """Make the table of recall by bytes per item, of learned codes and of quantized vectors."""
    return run_table(quantization.__doc__, make_quantization, argv)


def quantization_verdict(argv: Sequence[str] | None = None) -> int:
    """Say where learned codes beat quantized vectors of equal bytes, and where they do not."""
    return run_table(quantization_verdict.__doc__, make_verdict, argv)


def make_quantization(args: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return numbers and printed form.

    ``inputs`` are ``metrics.csv`` of all trainings, then their ``item_vectors.npy``.
    """
    metrics, vectors = _kinds(args.inputs, 2)
    found = read_footprints(metrics, vectors, args.settings)
    numbers = over_seeds(found)[[*COLUMNS, "metric", "n", "mean", "low", "high", "seeds"]]
    names = dict(args.settings["datasets"]), dict(args.settings["models"])
    return numbers, print_quantization(numbers, *names)


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


class Side(NamedTuple):
    """The training and search that stand for learned codes, or for quantized vectors."""

    model: str
    search: str
    bits: int


def make_verdict(args: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return numbers and printed form.

    ``inputs`` are, of all trainings, ``validation/metrics.csv``, then ``per_user.npz`` of the test
    part, then ``item_vectors.npy``.

    The rule: at each size the method and search of each side is the one of best validation
    recall among those of as many bytes or fewer. On the test part, users in common, the sides
    differ if the 95 % interval of the difference excludes 0: over users and seeds
    (``difference``), or, of one seed each, over users.
    """
    metrics, per_user, vectors = _kinds(args.inputs, 3)
    validated = read_footprints(metrics, vectors, args.settings)
    files: dict[tuple[str, str, int], list[Path]] = {}
    for (dataset, model, bits, _), file in zip(args.settings["runs"], per_user, strict=True):
        files.setdefault((dataset, model, bits), []).append(file)
    rows = [
        _row(dataset, size, sides, files)
        for dataset, _ in args.settings["datasets"]
        for size, sides in _sides(validated[validated.dataset == dataset], args.settings)
    ]
    if not rows:
        raise InputError(
            "grids.quantization_verdict.models: expected models with codes of their own and "
            "quantizers, pretrained by others"
        )
    numbers = pd.DataFrame(rows)
    names = dict(args.settings["datasets"]), dict(args.settings["models"])
    return numbers, print_verdict(numbers, *names)


def _kinds(inputs: Sequence[Path], kinds: int) -> list[Sequence[Path]]:
    """Divide the inputs, one kind of file of all trainings after the other."""
    each = len(inputs) // kinds
    return [inputs[kind * each : (kind + 1) * each] for kind in range(kinds)]


def _sides(
    validated: pd.DataFrame, settings: Mapping[str, Any]
) -> Iterator[tuple[int, tuple[Side, Side]]]:
    """Yield each size of learned codes and what stands for learned and quantized ones there."""
    keys = ["model", "search", "bits", "bytes"]
    means = validated.groupby(keys, sort=False, as_index=False).value.mean()
    quantized = means[means.model.isin(settings["quantized"])]
    learned = means[~means.model.isin(settings["quantized"]) & (means.search != "continuous")]
    for size in sorted(set(learned.bytes)):
        fitting = [rows[rows.bytes <= size] for rows in (learned, quantized)]
        if any(rows.empty for rows in fitting):
            continue
        best = [rows.loc[rows.value.idxmax()] for rows in fitting]
        one, other = (Side(row.model, row.search, int(row.bits)) for row in best)
        yield size, (one, other)


def _row(
    dataset: str,
    size: int,
    sides: tuple[Side, Side],
    files: Mapping[tuple[str, str, int], Sequence[Path]],
) -> dict[str, Any]:
    """Return the comparison of the two sides on the test part."""
    values = [
        np.stack(
            [
                user_values(file, _EVALUATED.get(side.search, side.search), "hr", CUTOFF)
                for file in files[dataset, side.model, side.bits]
            ]
        )
        for side in sides
    ]
    made: dict[str, Any] = {"dataset": dataset, "bytes": size}
    for name, side, array in zip(("learned", "quantized"), sides, values, strict=True):
        made |= {name: side.model, f"{name}_search": side.search, f"{name}_bits": side.bits}
        made[f"{name}_hr"] = float(np.nanmean(array))
    gap = compare(*values)
    seeds = min(len(array) for array in values)
    return {**made, "difference": gap.mean, "low": gap.low, "high": gap.high, "seeds": seeds}


def compare(one: np.ndarray, other: np.ndarray) -> Difference:
    """Return by how much ``one`` exceeds ``other``, both [seeds, users], and the 95 % interval.

    With several seeds each, for new users and seeds; else for new users, of these trainings.
    """
    if min(len(one), len(other)) > 1:
        return difference(one, other)
    gaps = one.mean(axis=0, dtype=float) - other.mean(axis=0, dtype=float)
    gaps = gaps[~np.isnan(gaps)]
    return Difference(float(gaps.mean()), *t_interval(gaps))


def print_verdict(
    numbers: pd.DataFrame, datasets: Mapping[str, str], models: Mapping[str, str]
) -> pd.DataFrame:
    """Return a sentence for each data set and size."""
    rows: Any = numbers.to_dict("records")
    return pd.DataFrame(
        {
            "Dataset": [datasets[row["dataset"]] for row in rows],
            "Bytes an item": [str(row["bytes"]) for row in rows],
            "Verdict": [sentence(row, models) for row in rows],
        }
    )


def sentence(row: Mapping[str, Any], models: Mapping[str, str]) -> str:
    """Say in words what a row of the verdict holds."""
    verb = "do not differ from"
    if row["low"] > 0:
        verb = "beat"
    elif row["high"] < 0:
        verb = "are worse than"
    one, other = (
        f"{models[row[name]]}, {SEARCHES[row[f'{name}_search']]}, HR@{CUTOFF} "
        f"{row[f'{name}_hr']:.4f}"
        for name in ("learned", "quantized")
    )
    over = "users, one seed" if row["seeds"] == 1 else f"users and {row['seeds']} seeds"
    return (
        f"Learned codes ({one}) {verb} quantized vectors ({other}): "
        f"{row['difference']:+.4f}, 95 % interval {row['low']:+.4f} to {row['high']:+.4f} "
        f"over {over}."
    )
