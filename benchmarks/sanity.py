"""HR@50 of PureSVD and of popularity, what any learned method is measured against.

``python -m benchmarks.sanity results/*/split.npz``: truncated SVD with 32 dimensions (Cremonesi
et al. 2010), trained on the training part, tested on the test part, training items masked.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import svds

from hashgnn.data.interactions import Csr, Split, load_split
from hashgnn.metrics.evaluation import Encoded, Settings, evaluate

WIDTH = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("splits", type=Path, nargs="+")
    for path in parser.parse_args().splits:
        split = load_split(path)
        scores = {"PureSVD": pure_svd(split), "popularity": popularity(split)}
        line = "  ".join(f"{name} {hr(split, *v):.4f}" for name, v in scores.items())
        print(f"{path}  {line}", flush=True)


def pure_svd(split: Split) -> tuple[np.ndarray, np.ndarray]:
    ones = np.ones(len(split.train.indices), dtype=np.float32)
    shape = (split.n_users, split.n_items)
    matrix = csr_matrix((ones, split.train.indices, split.train.indptr), shape=shape)
    users, strength, items = svds(matrix, k=WIDTH, random_state=0)
    return np.ascontiguousarray(users * strength), np.ascontiguousarray(items.T)


def popularity(split: Split) -> tuple[np.ndarray, np.ndarray]:
    counts = np.bincount(split.train.indices, minlength=split.n_items).astype(np.float32)
    return np.ones((split.n_users, 1), dtype=np.float32), counts[:, None]


def hr(split: Split, users: np.ndarray, items: np.ndarray) -> float:
    known = _both(split.train, split.validation)
    vectors = Encoded(None, users), Encoded(None, items)
    found = evaluate(*vectors, split.test, known, Settings(), searches=("continuous",))
    return found.mean("continuous", "hr", 50)


def _both(one: Csr, other: Csr) -> Csr:
    rows = [np.repeat(np.arange(len(c.indptr) - 1), np.diff(c.indptr)) for c in (one, other)]
    users, items = np.concatenate(rows), np.concatenate([one.indices, other.indices])
    return Csr(one.indptr + other.indptr, items[np.lexsort((items, users))])


if __name__ == "__main__":
    main()
