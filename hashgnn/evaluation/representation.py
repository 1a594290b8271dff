"""Represent users and items by codes and vectors, and evaluate the rankings that they give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from hashgnn.data.interactions import Csr, take_rows
from hashgnn.errors import InputError
from hashgnn.evaluation.metrics import WINDOW, hit_rate, ndcg, ndcg_retrieved, recall
from hashgnn.evaluation.ranks import Ranks, ranks_of_levels, ranks_of_lists
from hashgnn.search import Index

SEARCHES = ("hamming", "hierarchical", "continuous")
# Names in metrics.csv: the paper's HR is recall, any_hit is the hit rate.
METRICS = ("hr", "any_hit", "ndcg")
_BLOCK = 2048  # users at a time, to bound the memory


class Representation(NamedTuple):
    """Codes and vectors of users or of items, a row each; None for what a method does not have."""

    codes: np.ndarray | None  # uint8 [rows, bytes]
    vectors: np.ndarray | None  # float32 [rows, d]

    def rows(self, chosen: np.ndarray) -> "Representation":
        """Return the rows with the indices ``chosen``."""
        return Representation(*(None if array is None else array[chosen] for array in self))


@dataclass(frozen=True)
class EvaluationSettings:
    """The config's section ``evaluation``."""

    cutoffs: tuple[int, ...] = (20, 50, 100, 150, 200)
    candidates: int = 500  # of hierarchical search
    mask_training: bool = True  # exclude the items that a user has seen
    ndcg: str = "standard"  # or "retrieved"
    tie_seed: int = 0

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> "EvaluationSettings":
        """Return the settings in ``config``; raise ``InputError`` naming the first wrong key."""
        names = {field.name for field in fields(cls)}
        if unknown := sorted(set(config) - names):
            raise InputError(f"evaluation.{unknown[0]}: no such key; known: {sorted(names)}")
        settings = cls(**config)  # type: ignore[arg-type]
        if not settings.cutoffs or min(settings.cutoffs) < 1:
            raise InputError(f"evaluation.cutoffs: {settings.cutoffs}; give numbers of 1 or more")
        if settings.candidates < 1:
            raise InputError(f"evaluation.candidates: {settings.candidates}; give 1 or more")
        if settings.ndcg not in ("standard", "retrieved"):
            raise InputError(f"evaluation.ndcg: {settings.ndcg!r}; give standard or retrieved")
        return settings


@dataclass(frozen=True)
class Evaluation:
    """Metrics of every user: ``values`` float64 [searches, metrics, cutoffs, users].

    Values of users without relevant items are NaN.
    """

    searches: tuple[str, ...]
    metrics: tuple[str, ...]
    cutoffs: tuple[int, ...]
    values: np.ndarray

    def mean(self, search: str, metric: str, cutoff: int) -> float:
        """Return the mean over the users who have relevant items; NaN if there are none."""
        cell = self.searches.index(search), self.metrics.index(metric), self.cutoffs.index(cutoff)
        per_user = self.values[cell]
        per_user = per_user[~np.isnan(per_user)]
        return float(per_user.mean()) if len(per_user) else float("nan")


def evaluate(
    users: Representation,
    items: Representation,
    relevant: Csr,
    seen: Csr,
    settings: EvaluationSettings,
    searches: Sequence[str] = SEARCHES,
) -> Evaluation:
    """Rank all items for every user who has relevant ones, and measure the rankings.

    Args:
        users: Queries, a row per user.
        items: What is searched, a row per item.
        relevant: Items to be found, per user.
        seen: Items per user that are excluded from its ranking if ``settings.mask_training``.
        settings: Cutoffs, candidates and the kind of NDCG.
        searches: Searches to evaluate; those that ``items`` lacks codes or vectors for are skipped.
    """
    index = Index(items.codes, items.vectors, settings.tie_seed)
    searches = tuple(search for search in searches if _is_possible(search, items))
    shape = (len(searches), len(METRICS), len(settings.cutoffs), len(relevant.indptr) - 1)
    values = np.full(shape, np.nan)
    evaluated = np.flatnonzero(np.diff(relevant.indptr))
    for start in range(0, len(evaluated), _BLOCK):
        block = evaluated[start : start + _BLOCK]
        of_block = take_rows(relevant, block)
        excluded = take_rows(seen, block) if settings.mask_training else None
        queries = users.rows(block)
        for place, search in enumerate(searches):
            ranks = _ranks(search, index, queries, of_block, excluded, settings)
            values[place][:, :, block] = _measure(ranks, np.diff(of_block.indptr), settings)
    return Evaluation(searches, METRICS, tuple(settings.cutoffs), values)


def _is_possible(search: str, items: Representation) -> bool:
    has_codes = items.codes is not None or search == "continuous"
    return has_codes and (items.vectors is not None or search == "hamming")


def _ranks(
    search: str,
    index: Index,
    queries: Representation,
    relevant: Csr,
    excluded: Csr | None,
    settings: EvaluationSettings,
) -> Ranks:
    k = max(settings.cutoffs)
    if settings.ndcg == "retrieved":
        k = max(k, WINDOW)
    codes, vectors = queries
    if search == "hamming":
        assert codes is not None
        return ranks_of_levels(*index.level_counts(codes, k, excluded, relevant), k)
    assert vectors is not None
    if search == "continuous":
        ranked, _ = index.continuous(vectors, k, excluded)
    else:
        assert codes is not None
        ranked, _ = index.hierarchical(codes, vectors, k, excluded, settings.candidates)
    return ranks_of_lists(ranked, relevant)


def _measure(ranks: Ranks, n_relevant: np.ndarray, settings: EvaluationSettings) -> np.ndarray:
    """Return ``METRICS``: float64 [metrics, cutoffs, users]."""
    cutoffs = settings.cutoffs
    if settings.ndcg == "retrieved":
        gain = ndcg_retrieved(ranks, cutoffs)
    else:
        gain = ndcg(ranks, n_relevant, cutoffs)
    return np.stack([recall(ranks, n_relevant, cutoffs), hit_rate(ranks, cutoffs), gain])
