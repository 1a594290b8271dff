"""Fixed epochs beside training by validation: ``python -m benchmarks.training_length SPLIT...``.

Trains methods with the defaults of the config on a share of the users of each split, once with
``length: epochs`` and once with ``length: validation``, and prints as Markdown the best validation
recall, its epoch, all epochs, and processor seconds.
"""

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from hashgnn.data.interactions import Csr, Split, load_split, take_rows
from hashgnn.data.negatives import DrawnNegatives
from hashgnn.models.method import Task
from hashgnn.recommender.defaults import method_defaults
from hashgnn.training.fit import fit, load_method
from hashgnn.training.monitoring import TrainingProgress
from hashgnn.training.train import keep_freed_memory

# history_every: no rows of the history, which cost time.
LENGTHS: dict[str, dict[str, Any]] = {
    "epochs": {"history_every": 10**6},
    "validation": {
        **{"length": "validation", "learning_rate_end": 0.1, "history_every": 10**6},
        **{"most_steps": 2500, "patience_steps": 300},
    },
}


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


def compare(split: Split, name: str, model: str) -> Iterator[str]:
    """Yield a row of the table for each length."""
    cpu = torch.device("cpu")
    for length, changes in LENGTHS.items():
        defaults = method_defaults(model, changes, len(split.train.indices))
        assert defaults.negatives is not None
        drawn = DrawnNegatives(split, defaults.negatives, defaults.rounds, 0)
        epochs: list[TrainingProgress] = []
        began = time.process_time()
        fitted = fit(
            load_method(defaults.module),
            Task(split, 32, 0, cpu, drawn),
            defaults.parameters,
            callback=epochs.append,
        )
        seconds = time.process_time() - began
        trained = max(progress.epoch or 0 for progress in epochs)
        facts = fitted.facts
        reached = f"{facts['validation_hr']:.4f} | {facts['best_epoch']} | {trained}"
        size = f"{len(split.train.indices):,}"
        yield f"| {name} | {size} | {model} | {length} | {reached} | {seconds:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("splits", type=Path, nargs="+", help="results/DATASET/split.npz")
    parser.add_argument("--share", type=float, default=0.1, help="of the users")
    parser.add_argument("--models", nargs="+", default=["hashgnn_plus"])
    args = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    heads = ("data set", "interactions", "method", "length", "validation HR@50", "best epoch")
    print("| " + " | ".join([*heads, "epochs", "processor seconds"]) + " |")
    print("|---|---:|---|---|---:|---:|---:|---:|")
    for path in args.splits:
        split = some_users(load_split(path), args.share)
        for model in args.models:
            for row in compare(split, path.parent.name, model):
                print(row, flush=True)


if __name__ == "__main__":
    main()
