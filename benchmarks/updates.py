"""Measure an update of a model with a night's new interactions, beside a full retraining.

A fifth of each user's interactions is tested. Of the rest, a hundredth is the night's: a model is
trained without it, then updated with it, and another is trained with it from the start. Printed are
the processor time of the update as a share of that of the first training, and recall@50 (HR@50) of
the tested interactions before the update, after it, and of the retraining.
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
from hashgnn.data.interactions import Csr
from hashgnn.recommender.model_comparison import measure

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
    print(f"{args.interactions}: {np.count_nonzero(new):,} of {len(new):,} interactions are new")
    print("| method | search | before | updated | retrained | time of the update |")
    for method in args.method:
        made: dict[str, Any] = {"method": method, "seed": args.seed}
        if args.epochs is not None:
            made["epochs"] = args.epochs
        model = HashGNN(args.bits, **made)
        first = _seconds(partial(model.fit, old))
        before = _recalls(model, parts.test)
        share = _seconds(partial(model.update, night)) / first
        updated = _recalls(model, parts.test)
        retrained = _recalls(HashGNN(args.bits, **made).fit(everything), parts.test)
        for search in before:
            cells = [f"{found[search]:.4f}" for found in (before, updated, retrained)]
            print(f"| {method} | {search} | {' | '.join(cells)} | {share:.3f} |", flush=True)


def _seconds(work: Callable[[], Any]) -> float:
    """Return the processor time of ``work``."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _recalls(model: HashGNN, test: Csr) -> dict[str, float]:
    """Return HR@50 by search; ``test`` has a row for each user of the data."""
    inner = model.model_
    numbers = inner.user_ids.text.astype(int)
    names = pd.Index(np.arange(test.indices.max() + 1)).astype("str")
    items = inner.item_ids.text.get_indexer(names)
    rows = [np.sort(items[test.indices[test.indptr[u] : test.indptr[u + 1]]]) for u in numbers]
    rows = [row[row >= 0] for row in rows]
    ends = np.cumsum([0, *map(len, rows)])
    found = Csr(ends, np.concatenate(rows).astype(np.int32))
    return {
        search: next(iter(measure(inner, search, found, [_N])))["recall"] for search in _SEARCHES
    }


if __name__ == "__main__":
    main()
