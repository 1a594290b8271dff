"""Represent users and items by codes and vectors, and evaluate the rankings that they give."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hashgnn.config.evaluation import EvaluationSettings
from hashgnn.data.interactions import Csr, take_rows
from hashgnn.evaluation.metrics import (
    WINDOW,
    Ranks,
    hit_rate,
    ndcg,
    ndcg_retrieved,
    ranks_of_levels,
    ranks_of_lists,
    recall,
)
from hashgnn.search import Index, Representation
from hashgnn.stage.progress import report

SEARCHES = ("hamming", "hierarchical", "continuous")
# By the users' vectors and the items' codes: exact, and among the nearest by Hamming distance.
ASYMMETRIC = ("asymmetric", "asymmetric re-rank")
# Names in metrics.csv: the paper's HR is recall, any_hit is the hit rate.
METRICS = ("hr", "any_hit", "ndcg")
_BLOCK = 2048  # users at a time, to bound the memory


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
    searches: Sequence[str] | None = None,
) -> Evaluation:
    """Rank all items for every user who has relevant ones, and measure the rankings.

    Args:
        users: Queries, a row per user.
        items: What is searched, a row per item.
        relevant: Items to be found, per user.
        seen: Items per user that are excluded from its ranking if ``settings.mask_training``.
        settings: Cutoffs, candidates and the kind of NDCG.
        searches: Searches to evaluate, by default those that ``settings`` ask for; those that
            ``items`` lacks codes or vectors for are skipped, and the asymmetric ones if codes are
            not the signs of vectors.
    """
    index = Index(items.codes, items.vectors, settings.tie_seed)
    if searches is None:
        searches = SEARCHES + (ASYMMETRIC if settings.asymmetric else ())
    searches = tuple(search for search in searches if _is_possible(search, users, items))
    by_codes = index
    if "asymmetric re-rank" in searches:
        by_codes = Index(items.codes, None, settings.tie_seed)
    shape = (len(searches), len(METRICS), len(settings.cutoffs), len(relevant.indptr) - 1)
    values = np.full(shape, np.nan)
    evaluated = np.flatnonzero(np.diff(relevant.indptr))
    for start in range(0, len(evaluated), _BLOCK):
        report(start, len(evaluated), "users")
        block = evaluated[start : start + _BLOCK]
        of_block = take_rows(relevant, block)
        excluded = take_rows(seen, block) if settings.mask_training else None
        queries = users.rows(block)
        for place, search in enumerate(searches):
            searched = by_codes if search in ASYMMETRIC else index
            ranks = _ranks(search, searched, queries, of_block, excluded, settings)
            values[place][:, :, block] = _measure(ranks, np.diff(of_block.indptr), settings)
    return Evaluation(searches, METRICS, tuple(settings.cutoffs), values)


def _is_possible(search: str, users: Representation, items: Representation) -> bool:
    if search in ASYMMETRIC:
        return _are_signs(users) and _are_signs(items)
    has_codes = items.codes is not None or search == "continuous"
    return has_codes and (items.vectors is not None or search == "hamming")


def _are_signs(rows: Representation) -> bool:
    """Return whether the codes are the signs of the vectors."""
    if rows.codes is None or rows.vectors is None:
        return False
    return np.array_equal(rows.codes, np.packbits(rows.vectors >= 0, axis=1, bitorder="little"))


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
    return rank(search, index, queries, relevant, excluded, k, settings.candidates)


def rank(
    search: str,
    index: Index,
    queries: Representation,
    relevant: Csr,
    excluded: Csr | None,
    k: int,
    candidates: int,
) -> Ranks:
    """Return the first ``k`` ranks of each query by one search.

    Hamming search has levels of tied items; the other searches give lists.
    """
    codes, vectors = queries
    if search == "hamming":
        assert codes is not None
        return ranks_of_levels(*index.level_counts(codes, k, excluded, relevant), k)
    assert vectors is not None
    if search == "continuous":
        ranked, _ = index.continuous(vectors, k, excluded)
    elif search == "asymmetric":
        ranked, _ = index.asymmetric(vectors, k, excluded)
    else:
        assert codes is not None
        ranked, _ = index.hierarchical(codes, vectors, k, excluded, candidates)
    return ranks_of_lists(ranked, relevant)


def _measure(ranks: Ranks, n_relevant: np.ndarray, settings: EvaluationSettings) -> np.ndarray:
    """Return ``METRICS``: float64 [metrics, cutoffs, users]."""
    cutoffs = settings.cutoffs
    if settings.ndcg == "retrieved":
        gain = ndcg_retrieved(ranks, cutoffs)
    else:
        gain = ndcg(ranks, n_relevant, cutoffs)
    return np.stack([recall(ranks, n_relevant, cutoffs), hit_rate(ranks, cutoffs), gain])
