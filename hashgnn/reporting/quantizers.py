"""Compare small codes of any vectors: quality, bytes and time of each quantizer, and a plot."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, get_args

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator, StrMethodFormatter
from scipy import sparse
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from hashgnn.config.methods import PALETTE
from hashgnn.errors import InputError
from hashgnn.kernels import get_threads, set_threads
from hashgnn.models.quantizer import Parameters, Quantizer, bytes_of_item
from hashgnn.models.quantizer import quantize as train
from hashgnn.reporting.figures import draw_curve, label_rows
from hashgnn.reporting.figures.style import name_curves, panels, use_style
from hashgnn.search import Index
from hashgnn.search.approximate import index_to_time

TRAINING_ITEMS = 16_384  # of PQ and OPQ, at most: 64 for each centroid
_TIMED = 64  # queries, at most, whose search is timed
_QUERY_BITS = 4  # of asymmetric search
QUALITIES: Mapping[str, str] = {
    "overlap": "overlap with the floats' lists",
    "recall": "recall of relevant items",
}
_AXES = {"bytes": "bytes an item", "microseconds": "microseconds a query, one thread"}
_LINES = {"Hamming": "--", "floats": ":"}


class Measured(NamedTuple):
    """A row of the table."""

    quantizer: str
    search: str
    bytes: int
    overlap: float
    recall: float
    microseconds: float


class Case(NamedTuple):
    """A search of items that take so many bytes; ``timed`` is one of the same cost, by FAISS."""

    quantizer: str
    search: str
    bytes: int
    ranked: Callable[..., Any]
    queries: np.ndarray
    timed: Any = None


def compare(
    users: np.ndarray,
    items: np.ndarray,
    relevant: sparse.csr_array | None,
    *,
    number: int,
    sizes: Sequence[int],
    seed: int,
    tell: Callable[[str], None],
) -> list[Measured]:
    """Return the rows of the table: the floats, then each size, quantizer and search.

    A progress bar counts the quantizers, on a terminal.

    Args:
        users: float32 [users, d], which search.
        items: float32 [items, d].
        relevant: Matrix [users, items] of relevant items, or None.
        number: Length of the lists.
        sizes: Bytes of an item.
        seed: Seed of the quantizers.
        tell: Takes a line for each quantizer that does not fit a size.
    """
    exact = Index(vectors=items)
    best, _ = exact.continuous(users, number)
    floats = Case("none", "floats", 4 * items.shape[1], exact.continuous, users)
    found = [_measure(floats, best, relevant)]
    wanted = [(size, kind) for size in sizes for kind in get_args(Quantizer)]
    with tqdm(wanted, unit="quantizer", disable=None) as bar:
        for size, kind in bar:
            bar.set_description(f"{kind}, {size} bytes")
            try:
                for case in _cases(users, items, size, kind, seed):
                    found.append(_measure(case, best, relevant))
            except InputError as error:
                tell(f"{size} bytes: {error}")
    return found


def _cases(
    users: np.ndarray, items: np.ndarray, size: int, kind: Quantizer, seed: int
) -> Iterator[Case]:
    """Yield the searches of a quantizer that takes ``size`` bytes of an item, if it can."""
    parameters = Parameters(quantizer=kind, training_items=TRAINING_ITEMS)
    bits = 8 * (2 * size - bytes_of_item(parameters, 8 * size))
    if bits < 8:
        return
    queries, kept = train(users, items, bits, parameters, seed)
    if kind in ("pq", "opq", "rabitq"):
        scan = index_to_time(items, bits, kind, parameters.part_bits)
        yield Case(kind, "asymmetric, FAISS", size, Index(vectors=kept).continuous, queries, scan)
        return
    codes = [np.packbits(side >= 0, axis=1, bitorder="little") for side in (queries, kept)]
    index = Index(codes[1])
    yield Case(kind, "Hamming", size, index.hamming, codes[0])
    search = partial(index.asymmetric, query_bits=_QUERY_BITS)
    yield Case(kind, f"asymmetric, {_QUERY_BITS} bits", size, search, queries)


def _measure(case: Case, best: np.ndarray, relevant: sparse.csr_array | None) -> Measured:
    """Rank the case's queries, and time some of them on one thread."""
    number, threads = best.shape[1], get_threads()
    lists, _ = case.ranked(case.queries, number)
    try:
        set_threads(1)
        with threadpool_limits(limits=1):
            microseconds = _microseconds(case, number)
    finally:
        set_threads(threads)
    overlap, recall = _share(lists, list(best)), float("nan")
    if relevant is not None:
        recall = _share(lists, np.split(relevant.indices, relevant.indptr[1:-1]))
    return Measured(*case[:3], overlap, recall, microseconds)


def _microseconds(case: Case, number: int) -> float:
    """Return the time of a query, the mean of some that are searched one by one."""
    queries, search = case.queries[:_TIMED], case.ranked
    if case.timed is not None:
        queries, search = np.resize(queries, (len(queries), case.timed.d)), case.timed.search
    search(queries[:1], number)  # compiles, and brings the codes into the caches
    start = time.perf_counter()
    for row in range(len(queries)):
        search(queries[row : row + 1], number)
    return 1e6 * (time.perf_counter() - start) / len(queries)


def _share(lists: np.ndarray, wanted: Sequence[np.ndarray]) -> float:
    """Return the mean share of the ``wanted`` items of a query that its list holds.

    Queries that want none are left out; NaN if all are.
    """
    pairs = [pair for pair in zip(lists, wanted, strict=True) if len(pair[1])]
    shares = [len(np.intersect1d(one, other)) / len(other) for one, other in pairs]
    return float(np.mean(shares)) if shares else float("nan")


def plot(table: pd.DataFrame, quality: str) -> Figure:
    """Draw ``quality``, a column of the table, by bytes of an item and by time of a query."""
    use_style()
    figure, axes = panels(2)
    curves = list(table.groupby(["quantizer", "search"], sort=False))
    names = list(dict.fromkeys(table.quantizer))
    looks = dict(zip(names, PALETTE, strict=False))
    for panel, (x, label) in zip(axes, _AXES.items(), strict=True):
        for (quantizer, search), rows in curves:
            points = rows.rename(columns={quality: "value"})
            name, line = f"{quantizer}, {search}", _LINES.get(str(search), "-")
            draw_curve(panel, points, x, looks[quantizer], name, linestyle=line)
        panel.set_xscale("log", base=2 if x == "bytes" else 10)
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.set_xlabel(label)
    sizes = sorted(set(table.bytes))
    axes[0].set_xticks(sizes, list(map(str, sizes)))
    axes[0].xaxis.set_minor_locator(NullLocator())
    label_rows(axes, 2, QUALITIES[quality])
    name_curves(figure, "")
    return figure
