"""Evaluate one method: hit rate, any hit and NDCG of each search, per user and on average."""

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hashgnn.config.base import parse
from hashgnn.data.interactions import Csr, Split, load_split
from hashgnn.errors import InputError
from hashgnn.evaluation.evaluation import Evaluation, Settings, evaluate
from hashgnn.evaluation.representation import Encoded
from hashgnn.files import atomic_write, load_array, save_arrays
from hashgnn.stage.command import run_stage, stage_parser

_COLUMNS = ("dataset", "model", "bits", "search", "metric", "n", "seed", "value")


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; codes may be left out of a method that has none, and so may vectors."""
    parser = stage_parser(__doc__)
    parser.add_argument("--split", type=Path, required=True)
    for name in ("user-codes", "item-codes", "user-vectors", "item-vectors"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--metrics", type=Path, required=True, help="mean values, a row each")
    parser.add_argument("--per-user", type=Path, required=True, help="values of every user")
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> dict[str, object]:
    settings = parse(Settings, args.settings.get("evaluation", {}), "evaluation")
    split = load_split(args.split)
    users = _load(args.user_codes, args.user_vectors, split.n_users)
    items = _load(args.item_codes, args.item_vectors, split.n_items)
    relevant, known = parts(split, str(args.settings.get("part", "test")))
    evaluation = evaluate(users, items, relevant, known, settings)
    _write_means(args.metrics, evaluation, args.settings)
    save_arrays(
        args.per_user,
        values=evaluation.values.astype(np.float32),
        searches=np.array(evaluation.searches),
        metrics=np.array(evaluation.metrics),
        cutoffs=np.array(evaluation.cutoffs),
    )
    return {"users_evaluated": int(np.count_nonzero(np.diff(relevant.indptr)))}


def parts(split: Split, part: str) -> tuple[Csr, Csr]:
    """Items to be found in ``part`` (test or validation), and items that are no candidates."""
    if part == "validation":
        return split.validation, split.train
    if part == "test":
        return split.test, _join(split.train, split.validation, split.n_items)
    raise InputError(f"part: {part!r}; give test or validation")


def _join(one: Csr, other: Csr, n_items: int) -> Csr:
    keys = np.sort(np.concatenate([_keys(one, n_items), _keys(other, n_items)]))
    return Csr(one.indptr + other.indptr, (keys % n_items).astype(np.int32))


def _keys(csr: Csr, n_items: int) -> np.ndarray:
    return np.repeat(np.arange(len(csr.indptr) - 1) * n_items, np.diff(csr.indptr)) + csr.indices


def _load(codes: Path | None, vectors: Path | None, rows: int) -> Encoded:
    return Encoded(_rows(codes, rows), _rows(vectors, rows))


def _rows(path: Path | None, rows: int) -> np.ndarray | None:
    if path is None:
        return None
    array = load_array(path)
    if len(array) != rows:
        raise InputError(f"{path}: {len(array)} rows, the split has {rows}; make it again from it")
    return array


def _write_means(path: Path, evaluation: Evaluation, settings: Mapping[str, object]) -> None:
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        labels = {key: settings.get(key, "") for key in ("dataset", "model", "bits", "seed")}
        for search in evaluation.searches:
            for metric in evaluation.metrics:
                for n in evaluation.cutoffs:
                    value = evaluation.mean(search, metric, n)
                    writer.writerow(
                        {**labels, "search": search, "metric": metric, "n": n, "value": value}
                    )


if __name__ == "__main__":
    sys.exit(main())
