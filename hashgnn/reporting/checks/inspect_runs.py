"""Check the trainings of one data set: their codes, vectors, lists and metrics."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hashgnn.data.interactions import Csr, Split, load_split, take_rows
from hashgnn.evaluation.evaluate import parts
from hashgnn.evaluation.representation import Representation
from hashgnn.evaluation.statistics import read_metrics
from hashgnn.files import atomic_write, load_array
from hashgnn.reporting.checks.check import (
    Check,
    check_codes,
    check_lists,
    check_metrics,
    check_vectors,
)
from hashgnn.search import Index
from hashgnn.stage.command import Facts, run_stage, stage_parser

SHOWN = 50  # items in a list
_MOST_USERS = 2000  # whose lists are made, evenly spread over all


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="of every training")
    parser.add_argument("--output", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    split = load_split(args.split)
    checks = [c for path in args.metrics for c in check_run(path, split, args.settings)]
    with atomic_write(args.output) as temporary:
        pd.DataFrame(checks).to_csv(temporary, index=False)
    return {"checks": len(checks)}


def check_run(path: Path, split: Split, settings: Mapping[str, Any]) -> Iterator[Check]:
    """All checks of the training whose ``metrics.csv`` lies at ``path``.

    ``settings``: ``candidates`` of hierarchical search, and the ``continuous`` methods, whose
    codes are the signs of vectors of any length.
    """
    metrics = read_metrics([path])
    first = metrics.iloc[0]
    subject = f"{first.dataset}/{first.model}/bits{first.bits}/seed{first.seed}"
    users, items = _read(path.parent, "user"), _read(path.parent, "item")
    bits = int(first.bits)
    if first.model in settings["continuous"] and items.vectors is not None:
        bits = items.vectors.shape[1]
    arrays = [
        *_check_encoded(f"{subject} users", users, split.n_users, bits),
        *_check_encoded(f"{subject} items", items, split.n_items, bits),
    ]
    yield from arrays
    if all(check.kept for check in arrays):  # else nothing can be searched
        yield from _check_searches(subject, users, items, split, settings["candidates"])
    yield from check_metrics(subject, metrics)


def _read(folder: Path, kind: str) -> Representation:
    paths = (folder / f"{kind}_codes.npy", folder / f"{kind}_vectors.npy")
    return Representation(*(load_array(path) if path.exists() else None for path in paths))


def _check_encoded(subject: str, encoded: Representation, rows: int, bits: int) -> Iterator[Check]:
    if encoded.codes is not None:
        yield from check_codes(subject, encoded.codes, rows, bits)
    if encoded.vectors is not None:
        yield from check_vectors(subject, encoded.vectors, rows)


def _check_searches(
    subject: str, users: Representation, items: Representation, split: Split, candidates: int
) -> Iterator[Check]:
    sample = np.unique(np.linspace(0, split.n_users - 1, _MOST_USERS).astype(np.int64))
    _, known = parts(split, "test")
    known, queries = take_rows(known, sample), users.rows(sample)
    for search, lists, looked_at in _lists(Index(*items), queries, known, candidates):
        name = f"{subject} {search}"
        yield from check_lists(name, lists, known, split.n_items, looked_at)


def _lists(
    index: Index, queries: Representation, known: Csr, candidates: int
) -> Iterator[tuple[str, np.ndarray, int]]:
    codes, vectors = queries
    if codes is not None:
        yield "hamming", index.hamming(codes, SHOWN, known)[0], len(index)
    if vectors is not None:
        yield "continuous", index.continuous(vectors, SHOWN, known)[0], len(index)
    if codes is not None and vectors is not None:
        lists, _ = index.hierarchical(codes, vectors, SHOWN, known, candidates)
        yield "hierarchical", lists, candidates


if __name__ == "__main__":
    sys.exit(main())
