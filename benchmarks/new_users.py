"""Compare users represented by their histories with the same users in the training.

A tenth of the users is drawn. One model is trained with them, another without; the second gets
their training items as histories. Both recommend, and recall@50 (HR@50) of their test items is
measured. ``python -m benchmarks.new_users results/movielens/interactions.npz --method als mf``
prints a table; the interactions are those that the workflow prepares.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hashgnn import HashGNN
from hashgnn.data.interactions import Csr, Split, load_interactions
from hashgnn.data.split import split

_N = 50


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of(__doc__, ["hashgnn_plus", "als", "mf", "puresvd"])
    parser.add_argument("--share", type=float, default=0.1, help="of the users held out")
    args = parser.parse_args(argv)
    parts = parts_of(args)
    rng = np.random.default_rng(args.seed)
    count = round(args.share * parts.n_users)
    held = np.sort(rng.choice(parts.n_users, count, replace=False))
    tested = held[np.diff(parts.test.indptr)[held] > 0]
    print(f"{args.interactions}: {len(tested):,} of {parts.n_users:,} users held out")
    for method in args.method:
        epochs = {} if args.epochs is None else {"epochs": args.epochs}
        _compare(method, args.bits, epochs, parts.train, parts.test, tested)


def parser_of(description: str | None, methods: list[str]) -> argparse.ArgumentParser:
    """Return a parser of the arguments that comparisons of trained models share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("interactions", type=Path)
    parser.add_argument("--method", nargs="+", default=methods)
    parser.add_argument("--bits", type=int, default=32)
    parser.add_argument("--epochs", type=int, help="by default those of the config")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def parts_of(args: argparse.Namespace) -> Split:
    """Return the interactions, of which a fifth of each user's is tested."""
    settings = {"by": "random", "test": 0.2, "validation": 0.0, "seed": args.seed}
    return split(load_interactions(args.interactions), settings)


def _compare(
    method: str, bits: int, epochs: dict[str, Any], train: Csr, test: Csr, held: np.ndarray
) -> None:
    users = np.repeat(np.arange(len(train.indptr) - 1), np.diff(train.indptr))
    without = ~np.isin(users, held)
    pairs = users, train.indices
    histories = {int(user): _row(train, user) for user in held}
    with_them = HashGNN(bits, method=method, **epochs).fit(pairs)
    others = HashGNN(bits, method=method, **epochs).fit((users[without], train.indices[without]))
    for search in ("hamming", "hierarchical", "continuous"):
        trained = with_them.recommend(held, _N, search=search)
        new = others.recommend(histories=histories, n=_N, search=search, unknown="skip")
        recalls = [_recall(found, test, held) for found in (trained, new)]
        print(
            f"{method} {search}: trained {recalls[0]:.4f}, by history {recalls[1]:.4f}", flush=True
        )


def _row(rows: Csr, user: int) -> np.ndarray:
    return rows.indices[rows.indptr[user] : rows.indptr[user + 1]]


def _recall(found: pd.DataFrame, test: Csr, users: np.ndarray) -> float:
    lists = found.groupby("user")["item"].apply(np.array).to_dict()
    none = np.empty(0, dtype=np.int64)
    shares = [np.isin(_row(test, u), lists.get(u, none)).mean() for u in users]
    return float(np.mean(shares))


if __name__ == "__main__":
    main()
