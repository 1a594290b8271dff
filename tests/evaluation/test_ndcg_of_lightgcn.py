"""LightGCN's recall and NDCG, as its paper's code defines them, worked out beside ours."""

import math

import numpy as np
import pytest

from hashgnn.data.interactions import Csr
from hashgnn.evaluation.evaluation import Settings, evaluate
from hashgnn.evaluation.representation import Encoded

N = 20
N_ITEMS = 60


def test_hr_is_its_recall_and_ndcg_its_ndcg() -> None:
    # For a batch of test users it divides hits by test items, and DCG by that of min(n, number of
    # test items) hits at the top, and averages over the users who have test items.
    rng = np.random.default_rng(0)
    users = rng.standard_normal((3, 4)).astype(np.float32)
    items = rng.standard_normal((N_ITEMS, 4)).astype(np.float32)
    wanted = [set(rng.choice(N_ITEMS, size, replace=False).tolist()) for size in (3, 30, 0)]
    relevant = Csr(
        np.array([0, 3, 33, 33]), np.array([i for w in wanted for i in sorted(w)], np.int32)
    )
    nothing = Csr(np.zeros(4, np.int64), np.zeros(0, np.int32))

    ours = evaluate(
        *(Encoded(None, users), Encoded(None, items), relevant, nothing, Settings(cutoffs=(N,)))
    )

    recalls, gains = [], []
    for user in range(2):
        ranked = np.argsort(-(items @ users[user]))[:N].tolist()
        hits = [item in wanted[user] for item in ranked]
        discounts = [1 / math.log2(rank + 2) for rank in range(N)]
        ideal = sum(discounts[: min(N, len(wanted[user]))])
        recalls.append(sum(hits) / len(wanted[user]))
        gains.append(sum(d for d, hit in zip(discounts, hits, strict=True) if hit) / ideal)
    assert ours.mean("continuous", "hr", N) == pytest.approx(np.mean(recalls))
    assert ours.mean("continuous", "ndcg", N) == pytest.approx(np.mean(gains))
