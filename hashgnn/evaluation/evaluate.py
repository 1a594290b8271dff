"""Evaluate one method: the chosen metrics of each search, per user and on average.

Codes, vectors, lists and metrics are checked too; broken rules are recorded for the report.
"""

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from hashgnn.config.base import parse
from hashgnn.config.evaluation import EvaluationSettings
from hashgnn.data.interactions import Csr, Split, load_split, take_rows
from hashgnn.errors import InputError
from hashgnn.evaluation.representation import Evaluation, evaluate
from hashgnn.evaluation.statistics import read_metrics
from hashgnn.files import atomic_write, load_array, save_arrays
from hashgnn.search import Index, Representation
from hashgnn.stage.command import run_stage, stage_parser

# Checks of what a training gave: its codes, vectors, lists and metrics.

SHOWN = 50  # items in a list
_MOST_USERS = 2000  # whose lists are made, evenly spread over all
_GROWING = ("hr", "any_hit")  # metrics that cannot fall as lists grow
_ROUNDING = 1e-9  # of a mean whose terms are rounded


class Check(NamedTuple):
    """A ``rule`` about ``subject``, whether it is kept, and what was seen where it is not."""

    subject: str
    rule: str
    kept: bool
    detail: str = ""


def check_run(
    subject: str,
    users: Representation,
    items: Representation,
    seen: Csr,
    n_items: int,
    bits: int | None,
    candidates: int,
) -> Iterator[Check]:
    """Yield the checks of codes, vectors and lists.

    Args:
        subject: Name of the training.
        users: Codes and vectors of the users.
        items: Codes and vectors of the items.
        seen: Items that may not be recommended, per user.
        n_items: Number of items.
        bits: Length of the codes; None for codes that are the signs of vectors of any length.
        candidates: Most items that hierarchical search re-ranks.
    """
    if bits is None and items.vectors is not None:
        bits = items.vectors.shape[1]
    arrays = [
        *_check_arrays(f"{subject} users", users, len(seen.indptr) - 1, bits),
        *_check_arrays(f"{subject} items", items, n_items, bits),
    ]
    yield from arrays
    if all(check.kept for check in arrays):  # else nothing can be searched
        yield from _check_searches(subject, users, items, seen, candidates)


def _check_arrays(
    subject: str, arrays: Representation, rows: int, bits: int | None
) -> Iterator[Check]:
    if arrays.codes is not None and bits is not None:
        yield from check_codes(subject, arrays.codes, rows, bits)
    if arrays.vectors is not None:
        yield from check_vectors(subject, arrays.vectors, rows)


def check_codes(subject: str, codes: np.ndarray, rows: int, bits: int) -> Iterator[Check]:
    """Check that codes are uint8 [rows, ceil(bits / 8)] and that padding bits are zero."""
    shape = (rows, -(-bits // 8))
    fits = codes.dtype == np.uint8 and codes.shape == shape
    seen = f"{codes.dtype} {list(codes.shape)}, expected uint8 {list(shape)}"
    yield Check(
        subject, "codes have a row each and a bit for each of K", fits, "" if fits else seen
    )
    if fits:
        padding = np.unpackbits(codes[:, -1:], axis=1, bitorder="little")[:, (bits - 1) % 8 + 1 :]
        strays = int(np.count_nonzero(padding.any(axis=1)))
        rule = "padding bits of codes are zero"
        yield Check(subject, rule, strays == 0, f"{strays} rows have others" if strays else "")


def check_vectors(subject: str, vectors: np.ndarray, rows: int) -> Iterator[Check]:
    """Check that vectors have the right number of rows and are finite."""
    fits = vectors.ndim == 2 and len(vectors) == rows
    seen = f"{list(vectors.shape)}, expected {rows} rows"
    yield Check(subject, "vectors have a row each", fits, "" if fits else seen)
    odd = int(np.count_nonzero(~np.isfinite(vectors)))
    yield Check(subject, "vectors are finite", odd == 0, f"{odd} numbers are not" if odd else "")


def _check_searches(
    subject: str, users: Representation, items: Representation, seen: Csr, candidates: int
) -> Iterator[Check]:
    index = Index(*items)
    sample = np.unique(np.linspace(0, len(seen.indptr) - 2, _MOST_USERS).astype(np.int64))
    seen, queries = take_rows(seen, sample), users.rows(sample)
    for search, lists, looked_at in _lists(index, queries, seen, candidates):
        yield from check_lists(f"{subject} {search}", lists, seen, len(index), looked_at)


def _lists(
    index: Index, queries: Representation, seen: Csr, candidates: int
) -> Iterator[tuple[str, np.ndarray, int]]:
    codes, vectors = queries
    if codes is not None:
        yield "hamming", index.hamming(codes, SHOWN, seen)[0], len(index)
    if vectors is not None:
        yield "continuous", index.continuous(vectors, SHOWN, seen)[0], len(index)
    if codes is not None and vectors is not None:
        lists, _ = index.hierarchical(codes, vectors, SHOWN, seen, candidates)
        yield "hierarchical", lists, candidates


def check_lists(
    subject: str, lists: np.ndarray, excluded: Csr, n_items: int, candidates: int
) -> Iterator[Check]:
    """Check recommended lists.

    Args:
        subject: Name of what is checked.
        lists: int32 [users, k], -1 where no item is left.
        excluded: Items that a user may not get: those of training and validation.
        n_items: Number of items in all.
        candidates: Most items that the search looks at.
    """
    users, k = lists.shape
    rows = np.repeat(np.arange(users), k)
    shown = lists.ravel() >= 0
    pairs = rows[shown] * n_items + lists.ravel()[shown].astype(np.int64)
    sizes = np.diff(excluded.indptr)
    forbidden = np.repeat(np.arange(users), sizes) * n_items + excluded.indices
    strays = int(np.isin(pairs, forbidden).sum())
    detail = f"{strays} are" if strays else ""
    yield Check(subject, "no training or validation item is recommended", not strays, detail)
    repeats = len(pairs) - len(np.unique(pairs))
    detail = f"{repeats} are" if repeats else ""
    yield Check(subject, "no item is recommended twice to a user", not repeats, detail)
    full = np.minimum(min(k, candidates), n_items - sizes)
    short = int(np.count_nonzero((lists >= 0).sum(1) < full))
    detail = f"{short} users have shorter ones" if short else ""
    yield Check(subject, "every user with candidates has a full list", not short, detail)


def check_metrics(subject: str, metrics: pd.DataFrame) -> Iterator[Check]:
    """Check the rows of one ``metrics.csv``."""
    largest = metrics.metric.eq("novelty").map({True: np.inf, False: 1 + _ROUNDING})  # in bits
    outside = metrics[~metrics.value.between(0, largest)]
    detail = "" if outside.empty else f"{len(outside)} are not, such as {_name(outside.iloc[0])}"
    yield Check(subject, "metrics lie between 0 and 1", outside.empty, detail)
    falling = [
        f"{metric} by {search} search"
        for (search, metric), rows in metrics.groupby(["search", "metric"], sort=False)
        if metric in _GROWING and not rows.sort_values("n").value.is_monotonic_increasing
    ]
    rule = "hit rates do not fall as lists grow"
    yield Check(subject, rule, not falling, ", ".join(falling))


def _name(row: pd.Series) -> str:
    return f"{row.metric}@{row.n} by {row.search} search, {row.value}"


# The stage.

_COLUMNS = ("dataset", "model", "bits", "search", "metric", "n", "seed", "value")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from the command line; a method may lack codes or vectors."""
    parser = stage_parser(__doc__)
    parser.add_argument("--split", type=Path, required=True)
    for name in ("user-codes", "item-codes", "user-vectors", "item-vectors"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--metrics", type=Path, required=True, help="CSV of means over users")
    parser.add_argument("--per-user", type=Path, required=True, help="NPZ of values per user")
    parser.add_argument("--checks", type=Path, required=True, help="CSV of checks of the results")
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> dict[str, object]:
    settings = parse(EvaluationSettings, args.settings.get("evaluation", {}), "evaluation")
    split = load_split(args.split)
    users = _load(args.user_codes, args.user_vectors, split.n_users)
    items = _load(args.item_codes, args.item_vectors, split.n_items)
    relevant, seen = parts(split, str(args.settings.get("part", "test")))
    evaluation = evaluate(users, items, relevant, seen, settings)
    _write_means(args.metrics, evaluation, args.settings)
    save_arrays(
        args.per_user,
        values=evaluation.values.astype(np.float32),
        searches=np.array(evaluation.searches),
        metrics=np.array(evaluation.metrics),
        cutoffs=np.array(evaluation.cutoffs),
    )
    checks = _checks(args, settings.candidates, users, items, seen, split.n_items)
    with atomic_write(args.checks) as temporary:
        pd.DataFrame(checks, columns=Check._fields).to_csv(temporary, index=False)
    return {"users_evaluated": int(np.count_nonzero(np.diff(relevant.indptr)))}


def parts(split: Split, part: str) -> tuple[Csr, Csr]:
    """Return the relevant items of ``part`` (test or validation), and the items seen before it."""
    if part == "validation":
        return split.validation, split.train
    if part == "test":
        return split.test, _join(split.train, split.validation, split.n_items)
    raise InputError(f"part: expected test or validation, got {part!r}")


def _join(one: Csr, other: Csr, n_items: int) -> Csr:
    keys = np.sort(np.concatenate([_keys(one, n_items), _keys(other, n_items)]))
    return Csr(one.indptr + other.indptr, (keys % n_items).astype(np.int32))


def _keys(csr: Csr, n_items: int) -> np.ndarray:
    return np.repeat(np.arange(len(csr.indptr) - 1) * n_items, np.diff(csr.indptr)) + csr.indices


def _load(codes: Path | None, vectors: Path | None, rows: int) -> Representation:
    return Representation(_rows(codes, rows), _rows(vectors, rows))


def _rows(path: Path | None, rows: int) -> np.ndarray | None:
    if path is None:
        return None
    array = load_array(path)
    if len(array) != rows:
        raise InputError(f"{path}: {len(array)} rows, but the split has {rows}; train again")
    return array


def _write_means(path: Path, evaluation: Evaluation, settings: Mapping[str, object]) -> None:
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        labels = {key: settings.get(key, "") for key in ("dataset", "model", "bits", "seed")}
        for search in evaluation.searches:
            for metric in (*evaluation.metrics, *evaluation.of_lists):
                for n in evaluation.cutoffs:
                    value = evaluation.mean(search, metric, n)
                    writer.writerow(
                        {**labels, "search": search, "metric": metric, "n": n, "value": value}
                    )


def _checks(
    args: argparse.Namespace,
    candidates: int,
    users: Representation,
    items: Representation,
    seen: Csr,
    n_items: int,
) -> list[Check]:
    metrics = read_metrics([args.metrics])
    first = metrics.iloc[0]
    subject = f"{first.dataset}/{first.model}/bits{first.bits}/seed{first.seed}"
    bits = None if args.settings.get("continuous") else int(first.bits)
    return [
        *check_run(subject, users, items, seen, n_items, bits, candidates),
        *check_metrics(subject, metrics),
    ]


if __name__ == "__main__":
    sys.exit(main())
