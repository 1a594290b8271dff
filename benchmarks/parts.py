"""What each part of HashGNN+ gives: ``python -m benchmarks.parts SPLIT:SHARE... --into PAGE``.

Trains HashGNN+ as shipped, without one of its parts at a time, and methods to compare it with, on a
share of the users of each split, with the same settings on all. Prints recall of the test part by
Hamming distance, by asymmetric search and by vectors, and keeps it in ``benchmarks/parts.csv``: a
variant that is there is not trained again. ``--into`` writes the tables into a page.
"""

import argparse
import os
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

from benchmarks.pages import fill
from hashgnn.config.evaluation import EvaluationSettings
from hashgnn.data.interactions import Csr, Split, load_split, take_rows
from hashgnn.data.negatives import DrawnNegatives
from hashgnn.evaluation.evaluate import parts
from hashgnn.evaluation.representation import Representation, evaluate
from hashgnn.files import atomic_write
from hashgnn.models.method import Task
from hashgnn.recommender.defaults import method_defaults
from hashgnn.reporting.tables import to_markdown
from hashgnn.stage.record import job_digest
from hashgnn.training.fit import fit, load_method
from hashgnn.training.monitoring import TrainingProgress
from hashgnn.training.train import keep_freed_memory

RECORDS = Path(__file__).with_name("parts.csv")
BEGIN, END = "<!-- Parts: benchmarks/parts.py. -->\n", "<!-- End of the parts. -->"
SEARCHES = {"hamming": "codes", "asymmetric": "asymmetric", "continuous": "vectors"}
KEYS = ("data set", "share", "variant", "settings", "bits", "seed")
IDENTITY = [key for key in KEYS if key != "settings"]
ANY_SIZE = 10**9  # interactions: the settings but for the batch size, which small data reduce
N = 50


class Variant(NamedTuple):
    """A method with some hyper-parameters changed."""

    name: str
    method: str
    changes: dict[str, Any]


VARIANTS = (
    Variant("HashGNN+", "hashgnn_plus", {}),
    Variant("no asymmetric likelihood", "hashgnn_plus", {"asymmetric_weight": 0.0}),
    Variant("embeddings start at random", "hashgnn_plus", {"initial_embeddings": "normal"}),
    Variant("all neighbors may be drawn", "hashgnn_plus", {"neighbor_share": 1.0}),
    Variant("no dropout", "hashgnn_plus", {"embedding_dropout": 0.0}),
    Variant("16 epochs", "hashgnn_plus", {"length": "epochs", "epochs": 16}),
    Variant("all links weigh alike", "hashgnn_plus", {"user_damping": 0.0}),
    Variant("users have embeddings", "hashgnn_plus", {"user_embeddings": True}),
    Variant(
        "only codes are trained", "hashgnn_plus", {"vector_weight": 0.0, "asymmetric_weight": 0.0}
    ),
    Variant(
        "only vectors are trained", "hashgnn_plus", {"code_weight": 0.0, "asymmetric_weight": 0.0}
    ),
    Variant("HashGNN", "hashgnn", {}),
    Variant("GraphSage", "graphsage", {}),
    Variant("LightGCN", "lightgcn", {}),
    Variant("MF", "mf", {}),
    Variant("PureSVD", "puresvd", {}),
    Variant("MF (ALS)", "als", {}),
)


def settings_digest(variant: Variant) -> str:
    """Return a digest of all hyper-parameters of a variant."""
    defaults = method_defaults(variant.method, variant.changes, ANY_SIZE)
    return job_digest(defaults.module, [defaults.parameters, defaults.negatives])[:8]


def some_users(split: Split, share: float) -> Split:
    """Return a share of the users, drawn at random, and the items that they train on."""
    rng = np.random.default_rng(0)
    count = int(split.n_users * share)
    users = np.sort(rng.choice(split.n_users, count, replace=False))
    items = np.unique(take_rows(split.train, users).indices)
    number = np.full(split.n_items, -1)
    number[items] = np.arange(len(items))

    def part(csr: Csr) -> Csr:
        own = take_rows(csr, users)
        rows = np.repeat(np.arange(count), np.diff(own.indptr))
        kept = number[own.indices] >= 0
        ends = np.cumsum(np.bincount(rows[kept], minlength=count))
        indices = number[own.indices][kept].astype(np.int32)
        return Csr(np.concatenate([[0], ends]), indices)

    train, validation, test = map(part, (split.train, split.validation, split.test))
    return Split(train, validation, test, count, len(items))


def measure(split: Split, variant: Variant, bits: int, seed: int) -> dict[str, Any]:
    """Train a variant and return its recall on validation and test, by each search."""
    torch.set_num_threads(1)
    defaults = method_defaults(variant.method, variant.changes, len(split.train.indices))
    own = None
    if defaults.negatives is not None:
        own = DrawnNegatives(split, defaults.negatives, defaults.rounds, seed)
    epochs: list[TrainingProgress] = []
    began = time.process_time()
    task = Task(split, bits, seed, torch.device("cpu"), own)
    fitted = fit(load_method(defaults.module), task, defaults.parameters, callback=epochs.append)
    row: dict[str, Any] = {"seconds": round(time.process_time() - began)}
    row["epochs"] = max((progress.epoch or 0 for progress in epochs), default=0)
    row["best_epoch"] = fitted.facts.get("best_epoch", 0)
    users = Representation(fitted.user_codes, fitted.user_vectors)
    items = Representation(fitted.item_codes, fitted.item_vectors)
    settings = EvaluationSettings(cutoffs=(N,), asymmetric=True)
    for part in ("validation", "test"):
        measured = evaluate(users, items, *parts(split, part), settings)
        for search in set(SEARCHES) & set(measured.searches):
            row[f"{part} {SEARCHES[search]}"] = round(measured.mean(search, "hr", N), 5)
    return row


def records() -> pd.DataFrame:
    """Return what was measured so far."""
    return pd.read_csv(RECORDS) if RECORDS.exists() else pd.DataFrame(columns=list(KEYS))


def run(splits: Sequence[tuple[Path, float]], bits: int, seeds: Sequence[int]) -> None:
    """Measure what is missing, and keep each row when it is there."""
    for variant, (path, share), seed in product(VARIANTS, splits, seeds):
        settings = settings_digest(variant)
        values = (path.parent.name, share, variant.name, settings, bits, seed)
        key = dict(zip(KEYS, values, strict=True))
        done = records()
        if (done[list(KEYS)] == list(key.values())).all(axis=1).any():
            continue
        stale = (done[IDENTITY] == [key[name] for name in IDENTITY]).all(axis=1)
        done = done[~stale]
        row = {**key, **measure(some_users(load_split(path), share), variant, bits, seed)}
        print(row, flush=True)
        with atomic_write(RECORDS) as temporary:
            pd.concat([done, pd.DataFrame([row])]).to_csv(temporary, index=False)


def tables(rows: pd.DataFrame) -> str:
    """Return a table for each search: mean recall over seeds, a row per variant."""
    present = {variant.name: settings_digest(variant) for variant in VARIANTS}
    rows = rows[rows["variant"].map(present) == rows["settings"]]
    order = [name for name in present if name in set(rows["variant"])]
    text = ""
    for name in SEARCHES.values():
        wide = rows.pivot_table(f"test {name}", "variant", "data set", sort=False)
        wide = wide.loc[[variant for variant in order if variant in wide.index]]
        shown = wide.map(lambda value: f"{value:.4f}").replace("nan", "not run")
        text += f"\nBy {name}:\n\n" + to_markdown(shown.rename_axis("trained").reset_index())
    return text


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("splits", nargs="+", help="results/DATASET/split.npz:SHARE of the users")
    parser.add_argument("--bits", type=int, default=32)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--into", type=Path, help="page to put the table into")
    args = parser.parse_args(argv)
    keep_freed_memory()
    pairs = (split.rsplit(":", 1) for split in args.splits)
    run([(Path(path), float(share)) for path, share in pairs], args.bits, args.seeds)
    made = tables(records())
    print(made)
    if args.into:
        fill(args.into, BEGIN, made + "\n", END)


if __name__ == "__main__":
    main()
