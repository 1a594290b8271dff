"""Every metric of every search for every user, in one pass over blocks of users."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hashgnn.config.evaluation import EvaluationSettings as Settings
from hashgnn.data.interactions import Csr, take_rows
from hashgnn.evaluation.metrics import WINDOW, any_hit, ndcg, ndcg_retrieved
from hashgnn.evaluation.ranks import Ranks, hit_rate, ranks_of_levels, ranks_of_lists
from hashgnn.evaluation.representation import Encoded
from hashgnn.search import Index

SEARCHES = ("hamming", "hierarchical", "continuous")
METRICS = ("hr", "any_hit", "ndcg")
_BLOCK = 2048  # users at a time: bounds the memory


@dataclass(frozen=True)
class Evaluation:
    """``values`` float64 [searches, metrics, cutoffs, users]; NaN for users without test items."""

    searches: tuple[str, ...]
    metrics: tuple[str, ...]
    cutoffs: tuple[int, ...]
    values: np.ndarray

    def mean(self, search: str, metric: str, cutoff: int) -> float:
        """Mean over the users who have test items; NaN if nobody has."""
        cell = self.searches.index(search), self.metrics.index(metric), self.cutoffs.index(cutoff)
        per_user = self.values[cell]
        per_user = per_user[~np.isnan(per_user)]
        return float(per_user.mean()) if len(per_user) else float("nan")


def evaluate(
    users: Encoded,
    items: Encoded,
    relevant: Csr,
    known: Csr,
    settings: Settings,
    searches: Sequence[str] = SEARCHES,
) -> Evaluation:
    """Rank all items for every user who has ``relevant`` ones, and measure the rankings.

    ``known``: items that are no candidates for a user, unless ``settings.mask_training`` is
    false. Of ``searches`` those are made that the codes and vectors at hand allow.
    """
    index = Index(items.codes, items.vectors, settings.tie_seed)
    searches = tuple(search for search in searches if _possible(search, items))
    shape = (len(searches), len(METRICS), len(settings.cutoffs), len(relevant.indptr) - 1)
    values = np.full(shape, np.nan)
    wanting = np.flatnonzero(np.diff(relevant.indptr))
    for start in range(0, len(wanting), _BLOCK):
        block = wanting[start : start + _BLOCK]
        wanted = take_rows(relevant, block)
        barred = take_rows(known, block) if settings.mask_training else None
        queries = users.rows(block)
        for place, search in enumerate(searches):
            ranks = _ranks(search, index, queries, wanted, barred, settings)
            values[place][:, :, block] = _measure(ranks, np.diff(wanted.indptr), settings)
    return Evaluation(searches, METRICS, tuple(settings.cutoffs), values)


def _possible(search: str, items: Encoded) -> bool:
    has_codes = items.codes is not None or search == "continuous"
    return has_codes and (items.vectors is not None or search == "hamming")


def _ranks(
    search: str,
    index: Index,
    queries: Encoded,
    relevant: Csr,
    barred: Csr | None,
    settings: Settings,
) -> Ranks:
    k = max(settings.cutoffs)
    if settings.ndcg == "retrieved":
        k = max(k, WINDOW)
    codes, vectors = queries
    if search == "hamming":
        assert codes is not None
        return ranks_of_levels(*index.level_counts(codes, k, barred, relevant), k)
    assert vectors is not None
    if search == "continuous":
        ranked, _ = index.continuous(vectors, k, barred)
    else:
        assert codes is not None
        ranked, _ = index.hierarchical(codes, vectors, k, barred, settings.candidates)
    return ranks_of_lists(ranked, relevant)


def _measure(ranks: Ranks, n_relevant: np.ndarray, settings: Settings) -> np.ndarray:
    """Float64 [metrics, cutoffs, users]."""
    cutoffs = settings.cutoffs
    if settings.ndcg == "retrieved":
        gain = ndcg_retrieved(ranks, cutoffs)
    else:
        gain = ndcg(ranks, n_relevant, cutoffs)
    return np.stack([hit_rate(ranks, n_relevant, cutoffs), any_hit(ranks, cutoffs), gain])
