"""Measure an update of a model with a night's new interactions, beside a full retraining.

A fifth of each user's interactions is tested. Of the rest, a hundredth is the night's: a model is
trained without it, then updated with it, and another is trained with it from the start. Printed are
the processor time of the update and of the first training, their ratio, and recall@50 (HR@50) of
the tested interactions before the update, after it, and of the retraining; all are means over
seeds, each of which draws other parts too. The three models have the same relevant items: those
with interactions that are not tested. One that only came at night is missed before the update.
``python -m benchmarks.updates results/movielens/interactions.npz --method als --seeds 10``; the
interactions are those that the workflow prepares.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.new_users import parser_of, parts_of
from hashgnn import HashGNN
from hashgnn.config.evaluation import EvaluationSettings
from hashgnn.data.interactions import Csr
from hashgnn.evaluation.representation import evaluate
from hashgnn.recommender.queries import CANDIDATES

_N = 50
_SEARCHES = ("hamming", "hierarchical", "continuous")


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of(__doc__, ["hashgnn_plus", "hashgnn", "als", "mf"])
    parser.add_argument("--share", type=float, default=0.01, help="of the interactions, new")
    parser.add_argument("--seeds", type=int, default=1, help="--seed and the numbers after it")
    args = parser.parse_args(argv)
    print(f"{args.interactions}: {args.share:.1%} of the interactions are new")
    print("| method | search | before | updated | retrained | update, s | training, s | ratio |")
    for method in args.method:
        made: dict[str, Any] = {"method": method}
        if args.epochs is not None:
            made["epochs"] = args.epochs
        # Imports, and compiles kernels where they are not kept yet.
        few = np.arange(900) // 9, np.arange(900) * 7 % 61
        HashGNN(args.bits, **made | {"epochs": 1}).fit(few).update(few)
        rows = [_night(args, made, args.seed + number) for number in range(args.seeds)]
        seconds = np.mean([times for _, times in rows], axis=0)
        for search in _SEARCHES:
            means = np.mean([found[search] for found, _ in rows], axis=0)
            cells = [f"{mean:.4f}" for mean in means] + [f"{spent:.2f}" for spent in seconds]
            ratio = f"{seconds[0] / seconds[1]:.3f}"
            print(f"| {method} | {search} | {' | '.join(cells)} | {ratio} |", flush=True)


def _night(
    args: argparse.Namespace, made: dict[str, Any], seed: int
) -> tuple[dict[str, list[float]], list[float]]:
    """Measure the update of one night.

    Returns HR@50 before the update, after it and of the retraining, by search, and the processor
    time of the update and of the first training.
    """
    parts = parts_of(argparse.Namespace(**vars(args) | {"seed": seed}))
    users = np.repeat(np.arange(parts.n_users), np.diff(parts.train.indptr))
    new = np.random.default_rng(seed).random(len(users)) < args.share
    old, night = ((users[rows], parts.train.indices[rows]) for rows in (~new, new))
    known = np.zeros(parts.n_items, dtype=bool)
    known[parts.train.indices] = True
    model = HashGNN(args.bits, seed=seed, **made)
    first = _seconds(partial(model.fit, old))
    recalls = [_recalls(model, parts.test, known)]
    spent = _seconds(partial(model.update, night))
    recalls.append(_recalls(model, parts.test, known))
    retrained = HashGNN(args.bits, seed=seed, **made).fit((users, parts.train.indices))
    recalls.append(_recalls(retrained, parts.test, known))
    return {search: [found[search] for found in recalls] for search in _SEARCHES}, [spent, first]


def _seconds(work: Callable[[], Any]) -> float:
    """Return the processor time of ``work``."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _recalls(model: HashGNN, test: Csr, known: np.ndarray) -> dict[str, float]:
    """Return HR@50 by search, over the users who have tested items that are ``known``.

    Args:
        model: Its users and items are numbered as the data, or a part of them.
        test: The tested items, a row for each user of the data.
        known: Items that are relevant, bool [items]. Those of them that the model lacks are missed,
            as are all of users whom it lacks, so that models of less data have the same base.
    """
    inner = model.model_
    numbers = inner.user_ids.text.astype(int)
    items = inner.item_ids.text.get_indexer(pd.Index(np.arange(len(known))).astype("str"))
    relevant = [_row(test, user)[known[_row(test, user)]] for user in range(len(test.indptr) - 1)]
    rows = [np.sort(items[relevant[user]]) for user in numbers]
    rows = [row[row >= 0] for row in rows]
    found = Csr(np.cumsum([0, *map(len, rows)]), np.concatenate(rows).astype(np.int32))
    seen = inner.interactions.csr(np.ones(len(inner.interactions.user), dtype=bool))
    asked = EvaluationSettings(cutoffs=(_N,), candidates=CANDIDATES, metrics=("hr", "ndcg"))
    measured = evaluate(inner.users, inner.items, found, seen, asked, _SEARCHES)
    # A user without a tested item that the model has counts with no hits.
    hits = np.nan_to_num(measured.values[:, measured.metrics.index("hr"), 0]) * np.diff(
        found.indptr
    )
    sizes = np.array([len(row) for row in relevant])
    means = (hits / np.maximum(sizes[numbers], 1)).sum(1) / np.count_nonzero(sizes)
    return dict(zip(measured.searches, means.tolist(), strict=True))


def _row(rows: Csr, user: int) -> np.ndarray:
    return rows.indices[rows.indptr[user] : rows.indptr[user + 1]]


if __name__ == "__main__":
    main()
