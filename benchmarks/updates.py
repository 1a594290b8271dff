"""Measure an update of a model with a night's new interactions, beside a full retraining.

A fifth of each user's interactions is tested. Of the rest, a hundredth is the night's: a model is
trained without it, then updated with it, and another is trained with it from the start. Printed are
the processor time of the update as a share of that of the first training, and recall@50 (HR@50) of
the tested interactions before the update, after it, and of the retraining. All three have the same
relevant items: those with interactions that are not tested. One that only came at night is missed
before the update.
``python -m benchmarks.updates results/movielens/interactions.npz --method als hashgnn_plus``; the
interactions are those that the workflow prepares.
"""

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
    args = parser.parse_args(argv)
    parts = parts_of(args)
    users = np.repeat(np.arange(parts.n_users), np.diff(parts.train.indptr))
    new = np.random.default_rng(args.seed).random(len(users)) < args.share
    everything = users, parts.train.indices
    old, night = ((users[rows], parts.train.indices[rows]) for rows in (~new, new))
    known = np.zeros(parts.n_items, dtype=bool)
    known[parts.train.indices] = True
    print(f"{args.interactions}: {np.count_nonzero(new):,} of {len(new):,} interactions are new")
    print("| method | search | before | updated | retrained | time of the update |")
    for method in args.method:
        made: dict[str, Any] = {"method": method, "seed": args.seed}
        if args.epochs is not None:
            made["epochs"] = args.epochs
        model = HashGNN(args.bits, **made)
        first = _seconds(partial(model.fit, old))
        before = _recalls(model, parts.test, known)
        share = _seconds(partial(model.update, night)) / first
        updated = _recalls(model, parts.test, known)
        retrained = _recalls(HashGNN(args.bits, **made).fit(everything), parts.test, known)
        for search in before:
            cells = [f"{found[search]:.4f}" for found in (before, updated, retrained)]
            print(f"| {method} | {search} | {' | '.join(cells)} | {share:.3f} |", flush=True)


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
