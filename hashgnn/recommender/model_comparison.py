"""Compare a method with popularity and ALS on the latest interactions of a table.

Each method is trained on the earlier interactions, with a validation part of its own, and every
user of them who has later ones is tested.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hashgnn.config.base import parse
from hashgnn.config.evaluation import EvaluationSettings
from hashgnn.data.interactions import Csr, Interactions, renumber, take_rows
from hashgnn.data.split import split
from hashgnn.errors import InputError
from hashgnn.evaluation.representation import evaluate
from hashgnn.recommender.adapter import TrainingData
from hashgnn.recommender.defaults import TrainingSettings
from hashgnn.recommender.fitting import fit
from hashgnn.recommender.queries import CANDIDATES, Ids
from hashgnn.recommender.trained_model import Model
from hashgnn.training.monitoring import Callback, TrainingProgress

# Names of the workflow's metrics, in the order of the columns.
METRICS = {
    "hr": "recall",
    "any_hit": "hit_rate",
    "precision": "precision",
    "ndcg": "ndcg",
    "mrr": "mrr",
    "map": "map",
    "coverage": "coverage",
    "novelty": "novelty",
    "gini": "gini",
}
_BASELINES = ("popularity", "als")


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
        Interactions(user, item, len(old_user), len(old_item), *keys, weight=parts.train_weight),
        Ids(data.users.text.take(old_user), data.users.integer),
        Ids(data.items.text.take(old_item), data.items.integer),
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
        The columns method, search, n, and those of ``METRICS``; a row per method, search and length
        n of the lists.
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
    return ("hamming", "asymmetric", "hierarchical", "continuous")


def measure(
    model: Model, search: str, test: Csr, cutoffs: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Yield the metrics of one search, a row per cutoff; ``test`` has a row for each user."""
    candidates = max(*cutoffs, CANDIDATES)
    asked = {"cutoffs": list(cutoffs), "candidates": candidates, "metrics": list(METRICS)}
    settings = parse(EvaluationSettings, asked)
    seen = model.interactions.csr(np.ones(len(model.interactions.user), dtype=bool))
    found = evaluate(model.users, model.items, test, seen, settings, [search])
    for n in cutoffs:
        values = {name: found.mean(search, metric, n) for metric, name in METRICS.items()}
        yield {"search": search, "n": n, **values}
