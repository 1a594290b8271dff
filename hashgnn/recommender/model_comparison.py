"""Compare a method with popularity and ALS on the latest interactions of a table.

Each method is trained on the earlier interactions, with a validation part of its own, and every
user of them who has later ones is tested.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hashgnn.data.ids import renumber
from hashgnn.data.interactions import Csr, Interactions, take_rows
from hashgnn.data.split import split
from hashgnn.errors import InputError
from hashgnn.evaluation.metrics import (
    Ranks,
    average_precision,
    coverage,
    gini,
    hit_rate,
    ndcg,
    novelty,
    precision,
    ranks_of_levels,
    ranks_of_lists,
    recall,
    reciprocal_rank,
)
from hashgnn.recommender.adapter import TrainingData
from hashgnn.recommender.fitting import TrainingSettings, fit
from hashgnn.recommender.id_rows import Ids
from hashgnn.recommender.queries import CANDIDATES
from hashgnn.recommender.trained_model import Model
from hashgnn.search import Index, Representation
from hashgnn.training.monitoring import Callback, TrainingProgress

METRICS = ("recall", "hit_rate", "precision", "ndcg", "mrr", "map")
OF_LISTS = ("coverage", "novelty", "gini")
_BASELINES = ("popularity", "als")
_BLOCK = 2048  # users at a time, to bound the memory


class Division(NamedTuple):
    """Earlier interactions to train on, later ones to test, and counts of what was left out."""

    train: TrainingData
    test: Csr
    counts: dict[str, int]


def divide(data: TrainingData, settings: dict[str, Any]) -> Division:
    """Divide interactions as the workflow's ``split`` does; users and items are those of training.

    ``settings``: those of the split, without validation. Raises ``InputError`` if nothing is left
    to test.
    """
    every = data.interactions
    parts = split(every, {**settings, "validation": 0.0})
    sizes = np.diff(parts.train.indptr)
    user, old_user = renumber(np.repeat(np.arange(len(sizes)), sizes))
    item, old_item = renumber(parts.train.indices)
    place = np.full(every.n_items, -1, dtype=np.int32)
    place[old_item] = np.arange(len(old_item))
    tested = take_rows(parts.test, old_user)
    found = place[tested.indices] >= 0
    ends = np.concatenate([[0], np.cumsum(found)])
    test = Csr(ends[tested.indptr], place[tested.indices[found]])
    keys = every.user_key[old_user], every.item_key[old_item]
    train = TrainingData(
        Interactions(user, item, len(old_user), len(old_item), *keys),
        *(
            Ids(ids.text.take(old), ids.integer)
            for ids, old in ((data.users, old_user), (data.items, old_item))
        ),
    )
    counts = {
        "train_interactions": len(user),
        "train_users": len(old_user),
        "train_items": len(old_item),
        "test_interactions": len(test.indices),
        "test_users": int(np.count_nonzero(np.diff(test.indptr))),
        "left_out_of_new_users": len(every.user) - len(user) - len(parts.test.indices),
        "left_out_of_new_items": int(np.count_nonzero(~found)),
    }
    if not len(test.indices):
        raise InputError("nothing to test: no user and item of the later interactions is trained")
    return Division(train, test, counts)


def compare(
    division: Division, settings: TrainingSettings, cutoffs: Sequence[int], callback: Callback
) -> pd.DataFrame:
    """Train and measure a method and the baselines.

    Returns:
        The columns method, search, n, those of ``METRICS`` (means over the tested users) and of
        ``OF_LISTS``; a row per method, search and length n of the lists.
    """
    baselines = [
        settings.model_copy(update={"method": name, "parameters": {}})
        for name in _BASELINES
        if name != settings.method
    ]
    rows = []
    for chosen in (settings, *baselines):
        model, _ = fit(division.train, chosen, partial(_name, callback, chosen.method))
        for search in _searches(model, chosen.method):
            for row in measure(model, search, division.test, cutoffs):
                rows.append({"method": chosen.method, **row})
    return pd.DataFrame(rows)


def _name(callback: Callback, method: str, progress: TrainingProgress) -> None:
    callback(progress._replace(message=f"{method}: {progress.message}"))


def _searches(model: Model, method: str) -> tuple[str, ...]:
    if method in _BASELINES:
        return ("continuous",)
    return ("hamming", "hierarchical", "continuous")


def measure(
    model: Model, search: str, test: Csr, cutoffs: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Yield the metrics of one search, a row per cutoff; ``test`` has a row for each user."""
    tested = np.flatnonzero(np.diff(test.indptr))
    deepest, n_items = max(cutoffs), len(model.item_ids)
    seen = model.interactions.csr(np.ones(len(model.interactions.user), dtype=bool))
    counts = np.zeros((len(cutoffs), n_items), dtype=np.int64)
    values = []
    for start in range(0, len(tested), _BLOCK):
        block = tested[start : start + _BLOCK]
        relevant, excluded = take_rows(test, block), take_rows(seen, block)
        queries = model.users.rows(block)
        lists, ranks = _ranked(model.index, search, queries, relevant, excluded, deepest)
        values.append(_of_ranks(ranks, np.diff(relevant.indptr), cutoffs))
        for number, n in enumerate(cutoffs):
            shown = lists[:, :n]
            counts[number] += np.bincount(shown[shown >= 0], minlength=n_items)
    means = np.concatenate(values, axis=2).mean(axis=2)
    popularity = np.bincount(model.interactions.item, minlength=n_items)
    for number, n in enumerate(cutoffs):
        yield {
            "search": search,
            "n": n,
            **dict(zip(METRICS, means[:, number].tolist(), strict=True)),
            "coverage": coverage(counts[number]),
            "novelty": novelty(counts[number], popularity, len(model.user_ids)),
            "gini": gini(counts[number]),
        }


def _ranked(
    index: Index, search: str, queries: Representation, relevant: Csr, excluded: Csr, k: int
) -> tuple[np.ndarray, Ranks]:
    """Return the lists that users get, int32 [users, k], and their ranks.

    Ranks by Hamming distance have levels of tied items.
    """
    codes, vectors = queries
    if search == "hamming":
        assert codes is not None
        levels = index.level_counts(codes, k, excluded, relevant)
        return index.hamming(codes, k, excluded)[0], ranks_of_levels(*levels, k)
    assert vectors is not None
    if search == "continuous":
        lists, _ = index.continuous(vectors, k, excluded)
    else:
        assert codes is not None
        lists, _ = index.hierarchical(codes, vectors, k, excluded, max(k, CANDIDATES))
    return lists, ranks_of_lists(lists, relevant)


def _of_ranks(ranks: Ranks, n_relevant: np.ndarray, cutoffs: Sequence[int]) -> np.ndarray:
    """Return ``METRICS``: float64 [metrics, cutoffs, users]."""
    return np.stack(
        [
            recall(ranks, n_relevant, cutoffs),
            hit_rate(ranks, cutoffs),
            precision(ranks, cutoffs),
            ndcg(ranks, n_relevant, cutoffs),
            reciprocal_rank(ranks, cutoffs),
            average_precision(ranks, n_relevant, cutoffs),
        ]
    )
