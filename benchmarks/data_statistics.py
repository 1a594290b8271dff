"""Statistics of data sets: degrees, spectrum, co-occurrence, popularity.

    python -m benchmarks.data_statistics NAME=FILE ... [--generate NAME=SETTINGS ...]

FILE is an ``interactions.npz`` of the workflow; SETTINGS are those of a generator, as JSON. Prints
a Markdown table with a column per data set.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.linalg import svds

from hashgnn.data.interactions import Interactions, load_interactions
from hashgnn.data.prepare import prepare
from hashgnn.graph import normalized

RANKS = (2, 5, 10, 20, 50)  # of the singular values shown; the first is 1
_PAIRS = 50_000  # pairs of items that are sampled


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="NAME=FILE")
    parser.add_argument("--generate", nargs="*", default=[], metavar="NAME=SETTINGS")
    args = parser.parse_args(argv)
    data = {}
    for entry in args.files:
        name, _, file = entry.partition("=")
        data[name] = load_interactions(Path(file))
    for entry in args.generate:
        name, _, text = entry.partition("=")
        settings = {"dataset": name, "reader": "synthetic", "generator": json.loads(text)}
        data[name] = prepare([], settings).interactions
    print(table({name: statistics(found) for name, found in data.items()}))
    return 0


def table(columns: dict[str, dict[str, float]]) -> str:
    frame = pd.DataFrame(columns)
    shown = frame.map(lambda value: f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}")
    return shown.to_markdown(stralign="right", disable_numparse=True)


def statistics(data: Interactions, seed: int = 0) -> dict[str, float]:
    """Return the statistics of a data set by name."""
    ones = np.ones(len(data.user), np.float32)
    matrix = sparse.csr_matrix((ones, (data.user, data.item)), (data.n_users, data.n_items))
    users, items = (np.asarray(matrix.sum(axis)).ravel() for axis in (1, 0))
    found = {
        "users": data.n_users,
        "items": data.n_items,
        "interactions": len(data.user),
        "density, %": 100 * len(data.user) / data.n_users / data.n_items,
    }
    for side, degrees in (("user", users), ("item", items)):
        logs = np.log(degrees[degrees > 0])
        found |= {
            f"{side} degree, median": np.median(degrees),
            f"{side} degree, 99 % quantile / median": np.quantile(degrees, 0.99)
            / np.median(degrees),
            f"{side} degree, deviation of its logarithm": logs.std(),
            f"{side} degree, Gini": gini(degrees),
        }
    found["interactions with the most popular 1 % of items, %"] = (
        100 * np.sort(items)[::-1][: max(1, round(len(items) / 100))].sum() / items.sum()
    )
    values = spectrum(matrix)
    found |= {f"singular value {rank}": values[rank - 1] for rank in RANKS if rank <= len(values)}
    return found | cooccurrence(matrix, items, seed)


def gini(degrees: np.ndarray) -> float:
    """Return 0 where all are equal, and nearly 1 where one has all."""
    ordered = np.sort(degrees)
    n = len(ordered)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * ordered.sum()))


def spectrum(matrix: sparse.csr_matrix) -> np.ndarray:
    """Return the largest singular values of the matrix normalized by both degrees."""
    rank = min(RANKS[-1], min(matrix.shape) - 1)
    start = np.ones(min(matrix.shape), matrix.dtype)
    return np.sort(
        svds(normalized(matrix), rank, tol=1e-3, v0=start, return_singular_vectors=False)
    )[::-1]


def cooccurrence(matrix: sparse.csr_matrix, items: np.ndarray, seed: int) -> dict[str, float]:
    """Compare the cosine of two items of one user with that of items drawn by popularity."""
    random = np.random.default_rng(seed)
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    rows = random.choice(rows[np.diff(matrix.indptr)[rows] > 1], _PAIRS)
    start, length = matrix.indptr[rows], np.diff(matrix.indptr)[rows]
    first = (random.random(_PAIRS) * length).astype(int)
    second = (first + 1 + (random.random(_PAIRS) * (length - 1)).astype(int)) % length
    pairs = matrix.indices[start + first], matrix.indices[start + second]
    together = _cosines(matrix, items, *pairs)
    drawn = random.choice(matrix.indices, (2, _PAIRS))
    drawn = drawn[:, drawn[0] != drawn[1]]
    apart = _cosines(matrix, items, *drawn)
    return {
        "cosine of two items of a user, mean": together.mean(),
        "the same, 90 % quantile": np.quantile(together, 0.9),
        "cosine of two items drawn by popularity, mean": apart.mean(),
        "ratio of the means": together.mean() / apart.mean(),
    }


def _cosines(
    matrix: sparse.csr_matrix, items: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    columns = matrix.T.tocsr()
    shared = [
        np.asarray(columns[a].multiply(columns[b]).sum(1)).ravel()
        for a, b in zip(np.array_split(first, 20), np.array_split(second, 20), strict=True)
    ]
    return np.concatenate(shared) / np.sqrt(items[first] * items[second])


if __name__ == "__main__":
    sys.exit(main())
