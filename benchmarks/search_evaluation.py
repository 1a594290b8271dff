"""Evaluating a method on data of Gowalla's size, beside LightGCN-PyTorch's way of doing it."""

import sys
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

from hashgnn.config.evaluation import EvaluationSettings
from hashgnn.data.interactions import Csr
from hashgnn.evaluation.representation import evaluate
from hashgnn.search import Representation
from hashgnn.stage.record import peak_memory_mb

USERS, ITEMS, DIMENSIONS = 29_858, 40_981, 32
SEEN_PER_USER, RELEVANT_PER_USER = 24, 10
CUTOFFS = (20, 50, 100, 150, 200)
LIGHTGCN_BATCH = 100


class Method:
    """Random embeddings and their codes, and random interactions as many as Gowalla has."""

    def __init__(self, n_users: int = USERS, n_items: int = ITEMS) -> None:
        random = np.random.default_rng(0)
        self.users, self.items = (_encode(random, rows) for rows in (n_users, n_items))
        self.seen = _interactions(random, n_users, n_items, SEEN_PER_USER)
        self.relevant = _interactions(random, n_users, n_items, RELEVANT_PER_USER)
        self.matrix = _matrix(self.seen, n_items)
        ends = self.relevant.indptr[1:-1]
        self.truth = [list(row) for row in np.split(self.relevant.indices.astype(np.int64), ends)]

    def by_us(self, *searches: str) -> None:
        settings = EvaluationSettings(cutoffs=CUTOFFS)
        evaluate(self.users, self.items, self.relevant, self.seen, settings, searches)

    def by_lightgcn(self) -> dict[str, np.ndarray]:
        """What ``Test`` of LightGCN-PyTorch's ``Procedure.py`` does, on one process.

        Batches of 100 users: scores through a sigmoid, seen items looked up in a sparse matrix
        row by row and set to -1024, topk; then precision, recall and NDCG of each batch. Without
        the model's propagation.
        """
        import torch  # not above: it would count as memory of ours

        users = torch.from_numpy(self.users.vectors)
        items = torch.from_numpy(self.items.vectors)
        ranked = []
        for start in range(0, len(users), LIGHTGCN_BATCH):
            batch = range(start, min(len(users), start + LIGHTGCN_BATCH))
            seen_items = [self.matrix[user].nonzero()[1] for user in batch]
            rating = torch.sigmoid(users[batch.start : batch.stop] @ items.T)
            rows: list[int] = []
            columns: list[int] = []
            for row, seen in enumerate(seen_items):
                rows.extend([row] * len(seen))
                columns.extend(seen)
            rating[rows, columns] = -(1 << 10)
            ranked.append(torch.topk(rating, k=max(CUTOFFS))[1])
        totals = {name: np.zeros(len(CUTOFFS)) for name in ("precision", "recall", "ndcg")}
        for number, lists in enumerate(ranked):
            first = number * LIGHTGCN_BATCH
            relevant = self.truth[first : first + LIGHTGCN_BATCH]
            labels = _labels(relevant, lists.numpy())
            for place, n in enumerate(CUTOFFS):
                totals["precision"][place] += labels[:, :n].sum() / n
                totals["recall"][place] += _recall(relevant, labels, n)
                totals["ndcg"][place] += _ndcg(relevant, labels, n)
        return {name: total / len(users) for name, total in totals.items()}


def _labels(relevant: Sequence[list[int]], ranked: np.ndarray) -> np.ndarray:
    """Whether each ranked item is relevant, by looking through the list of the relevant ones."""
    rows = []
    for truth, items in zip(relevant, ranked, strict=True):
        rows.append(np.array([item in truth for item in items]).astype("float"))
    return np.array(rows)


def _recall(relevant: Sequence[list[int]], labels: np.ndarray, n: int) -> float:
    right = labels[:, :n].sum(1)
    return float(np.sum(right / np.array([len(truth) for truth in relevant])))


def _ndcg(relevant: Sequence[list[int]], labels: np.ndarray, n: int) -> float:
    best = np.zeros((len(labels), n))
    for row, truth in enumerate(relevant):
        best[row, : min(n, len(truth))] = 1
    discounts = 1.0 / np.log2(np.arange(2, n + 2))
    ideal = np.sum(best * discounts, axis=1)
    ideal[ideal == 0.0] = 1.0
    values = np.sum(labels[:, :n] * discounts, axis=1) / ideal
    values[np.isnan(values)] = 0.0
    return float(np.sum(values))


def _encode(random: np.random.Generator, rows: int) -> Representation:
    vectors = random.standard_normal((rows, DIMENSIONS), dtype=np.float32)
    return Representation(np.packbits(vectors >= 0, axis=1, bitorder="little"), vectors)


def _interactions(random: np.random.Generator, n_users: int, n_items: int, mean: int) -> Csr:
    users = np.repeat(np.arange(n_users), random.poisson(mean - 1, n_users) + 1)
    pairs = np.unique(users * n_items + random.integers(0, n_items, len(users)))
    counts = np.bincount(pairs // n_items, minlength=n_users)
    return Csr(np.concatenate([[0], np.cumsum(counts)]), (pairs % n_items).astype(np.int32))


def _matrix(csr: Csr, n_items: int) -> csr_matrix:
    ones = np.ones(len(csr.indices), dtype=np.float32)
    return csr_matrix((ones, csr.indices, csr.indptr), shape=(len(csr.indptr) - 1, n_items))


if __name__ == "__main__":  # peak memory of an evaluation, in MB
    Method(*map(int, sys.argv[1:])).by_us("hamming", "hierarchical", "continuous")
    print(peak_memory_mb())
