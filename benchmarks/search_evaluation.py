"""Evaluating a method on data of Gowalla's size, beside LightGCN-PyTorch's way of doing it."""

from pathlib import Path

import numpy as np

from hashgnn.data.interactions import Csr
from hashgnn.metrics.evaluation import Encoded, Settings, evaluate

USERS, ITEMS, DIMENSIONS = 29_858, 40_981, 32
KNOWN_PER_USER, RELEVANT_PER_USER = 24, 10
CUTOFFS = (20, 50, 100, 150, 200)
LIGHTGCN_BATCH = 100


class Method:
    """Random embeddings and their codes, and random interactions as many as Gowalla has."""

    def __init__(self, n_users: int = USERS, n_items: int = ITEMS) -> None:
        random = np.random.default_rng(0)
        self.users, self.items = (_encode(random, rows) for rows in (n_users, n_items))
        self.known = _interactions(random, n_users, n_items, KNOWN_PER_USER)
        self.relevant = _interactions(random, n_users, n_items, RELEVANT_PER_USER)

    def by_us(self, *searches: str) -> None:
        evaluate(
            self.users, self.items, self.relevant, self.known, Settings(cutoffs=CUTOFFS), searches
        )

    def by_lightgcn(self) -> dict[int, tuple[float, float]]:
        """Recall and NDCG by the procedure of LightGCN-PyTorch's ``Procedure.Test``."""
        import torch  # not above: it would count as memory of ours

        users = torch.from_numpy(self.users.vectors)
        items = torch.from_numpy(self.items.vectors)
        known, relevant = _rows(self.known), _rows(self.relevant)
        ranked, truth = [], []
        for start in range(0, len(users), LIGHTGCN_BATCH):
            batch = range(start, min(len(users), start + LIGHTGCN_BATCH))
            rating = torch.sigmoid(users[batch.start : batch.stop] @ items.T)
            rows: list[int] = []
            columns: list[int] = []
            for row, user in enumerate(batch):
                rows.extend([row] * len(known[user]))
                columns.extend(known[user])
            rating[rows, columns] = -(1 << 10)
            ranked.append(torch.topk(rating, k=max(CUTOFFS))[1])
            truth.append([relevant[user] for user in batch])
        totals = dict.fromkeys(CUTOFFS, (0.0, 0.0))
        for lists, wanted in zip(ranked, truth, strict=True):
            labels = _labels(wanted, lists.numpy())
            for n in CUTOFFS:
                recall, ndcg = _recall(wanted, labels, n), _ndcg(wanted, labels, n)
                totals[n] = (totals[n][0] + recall, totals[n][1] + ndcg)
        return {n: (a / len(users), b / len(users)) for n, (a, b) in totals.items()}


def _labels(wanted: list[list[int]], ranked: np.ndarray) -> np.ndarray:
    rows = []
    for truth, items in zip(wanted, ranked, strict=True):
        rows.append(np.array([item in truth for item in items]).astype("float"))
    return np.array(rows)


def _recall(wanted: list[list[int]], labels: np.ndarray, n: int) -> float:
    right = labels[:, :n].sum(1)
    return float(np.sum(right / np.array([len(truth) for truth in wanted])))


def _ndcg(wanted: list[list[int]], labels: np.ndarray, n: int) -> float:
    best = np.zeros((len(labels), n))
    for row, truth in enumerate(wanted):
        best[row, : min(n, len(truth))] = 1
    discounts = 1.0 / np.log2(np.arange(2, n + 2))
    ideal = np.sum(best * discounts, axis=1)
    ideal[ideal == 0.0] = 1.0
    values = np.sum(labels[:, :n] * discounts, axis=1) / ideal
    values[np.isnan(values)] = 0.0
    return float(np.sum(values))


def _encode(random: np.random.Generator, rows: int) -> Encoded:
    vectors = random.standard_normal((rows, DIMENSIONS), dtype=np.float32)
    return Encoded(np.packbits(vectors >= 0, axis=1, bitorder="little"), vectors)


def _interactions(random: np.random.Generator, n_users: int, n_items: int, mean: int) -> Csr:
    users = np.repeat(np.arange(n_users), random.poisson(mean - 1, n_users) + 1)
    pairs = np.unique(users * n_items + random.integers(0, n_items, len(users)))
    counts = np.bincount(pairs // n_items, minlength=n_users)
    return Csr(np.concatenate([[0], np.cumsum(counts)]), (pairs % n_items).astype(np.int32))


def _rows(csr: Csr) -> list[list[int]]:
    return [row.tolist() for row in np.split(csr.indices, csr.indptr[1:-1])]


if __name__ == "__main__":  # peak memory of an evaluation, in kB
    Method().by_us("hamming", "hierarchical", "continuous")
    # Not ru_maxrss, which remembers the process that started this one.
    status = Path("/proc/self/status").read_text().split()
    print(status[status.index("VmHWM:") + 1])
