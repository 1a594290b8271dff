"""Evaluate one method: the chosen metrics of each search, per user and on average.

Codes, vectors, lists and metrics are checked too; broken rules are recorded for the report.
"""

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hashgnn.config.base import parse
from hashgnn.config.evaluation import EvaluationSettings
from hashgnn.data.interactions import Csr, Split, load_split
from hashgnn.errors import InputError
from hashgnn.evaluation.representation import Evaluation, evaluate
from hashgnn.evaluation.run_checks import Check, check_metrics, check_run
from hashgnn.evaluation.statistics import read_metrics
from hashgnn.files import atomic_write, load_array, save_arrays
from hashgnn.search import Representation
from hashgnn.stage.command import run_stage, stage_parser

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
