"""Time a query of each search of a run, among its own items and among many more: a stage.

Many more are the run's items, repeated. Floats and codes that a search reads are the run's own;
what PQ, OPQ and RaBitQ made of items is searched by FAISS.
"""

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pandas as pd
from pydantic import Field

from hashgnn.config.base import Count, Section, parse
from hashgnn.evaluation.statistics import read_rows
from hashgnn.evaluation.time_searches import (
    Round,
    Run,
    SearchTiming,
    in_turns,
    timing_parser,
)
from hashgnn.files import atomic_write, load_array
from hashgnn.kernels import set_threads
from hashgnn.search import Index, Representation
from hashgnn.search.approximate import Compression, index_to_time
from hashgnn.stage.command import run_stage

_PAIRS = 2**28  # of queries and items in a round: tenths of a second for the fastest search
_FEWEST = 64  # queries of a round
_LABELS = ("dataset", "model", "bits", "seed")
COLUMNS = (
    *_LABELS,
    *("search", "items", "queries", "k", "candidates", "threads"),
    *("round", "microseconds", "busy"),
)


class Compressed(Section):
    """What PQ, OPQ or RaBitQ made of the items."""

    quantizer: Compression
    """Which of them."""

    part_bits: Count = 8
    """Bits of a part, at most."""


class QuerySettings(Section):
    """What a run can be searched by, and how many items it is timed with."""

    items: Count
    """Items to repeat the run's own to."""

    has_codes: bool
    """Whether the run has codes to search; if not, floats are searched."""

    compressed: Compressed | None = None
    """The compression of the items; None: they are not compressed."""

    timing: SearchTiming = Field(default_factory=SearchTiming)
    """How often, how many threads, how many items to find."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from the command line."""
    parser = timing_parser(__doc__)
    parser.add_argument(
        "--output", type=Path, required=True, help="CSV: a row per size, search and round"
    )
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> dict[str, object]:
    settings = _settings(args.settings)
    users = Representation(load_array(args.user_codes), load_array(args.user_vectors))
    items = Representation(load_array(args.item_codes), load_array(args.item_vectors))
    threads = settings.timing.threads
    set_threads(threads)
    faiss.omp_set_num_threads(threads)
    labels = {key: args.settings[key] for key in _LABELS}
    rows: list[dict[str, object]] = []
    for n_items in sorted({len(_rows(items)), settings.items}):
        shown = _queries(users, n_items)
        runs = searches(shown, items, int(labels["bits"]), n_items, settings)
        for run in runs.values():
            run()  # compiles, fills caches
        times = in_turns(runs, settings.timing.rounds, threads)
        case = {"items": n_items, "queries": len(_rows(shown)), **_case(settings.timing)}
        rows += _table(times, {**labels, **case})
    _write(args.output, rows)
    return {"search_threads": threads}


def _settings(given: Mapping[str, Any]) -> QuerySettings:
    """Return what the stage needs of its settings, and of the parameters of a compression."""
    used = {key: value for key, value in given.items() if key not in _LABELS}
    if parameters := used.get("compressed"):
        known = Compressed.model_fields
        used["compressed"] = {k: v for k, v in parameters.items() if k in known}
    return parse(QuerySettings, used, "settings")


def searches(
    users: Representation, items: Representation, bits: int, n_items: int, settings: QuerySettings
) -> dict[str, Run]:
    """Return the searches to time among ``n_items``, by name; no item is excluded.

    ``items`` are repeated. Asymmetric searches are those of vectors with a number for each bit.
    """
    vectors, k = users.vectors, settings.timing.k
    assert vectors is not None
    assert items.vectors is not None
    if (used := settings.compressed) is not None:
        kind, part_bits = used.quantizer, used.part_bits
        scan = index_to_time(items.vectors, bits, kind, part_bits, n_items)
        rows = np.resize(vectors, (len(vectors), scan.d))
        return {"decoded": lambda: scan.search(rows, min(k, n_items))}
    floats = Index(vectors=np.resize(items.vectors, (n_items, items.vectors.shape[1])))
    runs: dict[str, Run] = {"continuous": lambda: floats.continuous(vectors, k)}
    if settings.has_codes:
        runs |= _searches_of_codes(users, items, bits, n_items, settings.timing)
    return runs


def _searches_of_codes(
    users: Representation, items: Representation, bits: int, n_items: int, timing: SearchTiming
) -> dict[str, Run]:
    codes, vectors = users
    assert codes is not None
    assert vectors is not None
    assert items.codes is not None
    k, candidates = timing.k, max(timing.k, timing.candidates)
    index = Index(np.resize(items.codes, (n_items, items.codes.shape[1])))
    runs: dict[str, Run] = {"hamming": lambda: index.hamming(codes, k)}
    if vectors.shape[1] == bits:
        runs["asymmetric"] = lambda: index.asymmetric(vectors, k)
        runs["asymmetric re-rank"] = lambda: index.hierarchical(
            codes, vectors, k, candidates=candidates
        )
    return runs


def _queries(users: Representation, n_items: int) -> Representation:
    """Return as many users as a round takes."""
    return users.rows(np.arange(min(len(_rows(users)), max(_FEWEST, _PAIRS // n_items))))


def _rows(side: Representation) -> np.ndarray:
    assert side.vectors is not None
    return side.vectors


def _case(timing: SearchTiming) -> dict[str, object]:
    return {"k": timing.k, "candidates": timing.candidates, "threads": timing.threads}


def _table(
    times: Mapping[str, Sequence[Round]], case: Mapping[str, Any]
) -> Iterator[dict[str, object]]:
    for search, rounds in times.items():
        for number, each in enumerate(rounds):
            microseconds = 1e6 * each.seconds / case["queries"]
            timed = {"search": search, "round": number, "microseconds": microseconds}
            yield {**case, **timed, "busy": each.busy}


def read_query_times(paths: Iterable[Path]) -> pd.DataFrame:
    """Return the rows of several ``query_times.csv``; raise ``InputError`` for other columns."""
    return read_rows(paths, COLUMNS, "time again")


def _write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
