"""Represent users and items by codes and vectors, and evaluate the rankings that they give."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hashgnn.config.evaluation import OF_LISTS, OF_RANKS, EvaluationSettings
from hashgnn.data.interactions import Csr, take_rows
from hashgnn.evaluation.metrics import (
    WINDOW,
    Exposure,
    Ranks,
    average_precision,
    coverage,
    gini,
    hit_rate,
    ndcg,
    ndcg_retrieved,
    novelty,
    precision,
    ranks_of_levels,
    ranks_of_lists,
    recall,
    reciprocal_rank,
)
from hashgnn.search import Index, Representation
from hashgnn.stage.command import report

SEARCHES = ("hamming", "hierarchical", "continuous")
# By the users' vectors and the items' codes: exact, and among the nearest by Hamming distance.
ASYMMETRIC = ("asymmetric", "asymmetric re-rank")
_BLOCK = 2048  # users at a time, to bound the memory
_COMPARED = 2**22  # pairs of users and items at a time, whose distances are kept


@dataclass(frozen=True)
class Evaluation:
    """Metrics by search and cutoff.

    Attributes:
        searches: Names of the searches.
        metrics: Names of the metrics of every user.
        cutoffs: Lengths of the lists.
        values: Metrics of every user: float64 [searches, metrics, cutoffs, users]. NaN for users
            without relevant items.
        of_lists: Metrics of the lists of all users by name: float64 [searches, cutoffs] each.
    """

    searches: tuple[str, ...]
    metrics: tuple[str, ...]
    cutoffs: tuple[int, ...]
    values: np.ndarray
    of_lists: dict[str, np.ndarray]

    def mean(self, search: str, metric: str, cutoff: int) -> float:
        """Return the mean over the users who have relevant items; NaN if there are none.

        Metrics of lists are returned as they are.
        """
        row, column = self.searches.index(search), self.cutoffs.index(cutoff)
        if metric in self.of_lists:
            return float(self.of_lists[metric][row, column])
        per_user = self.values[row, self.metrics.index(metric), column]
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
        seen: Items per user that are excluded from its ranking if ``settings.mask_training``, and
            that say how many users have an item, for novelty.
        settings: Metrics, cutoffs, candidates and the kind of NDCG.
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
    metrics = tuple(name for name in settings.metrics if name in OF_RANKS)
    shape = (len(searches), len(metrics), len(settings.cutoffs), len(relevant.indptr) - 1)
    values = np.full(shape, np.nan)
    of_lists = [name for name in settings.metrics if name in OF_LISTS]
    exposures = [Exposure(len(index), settings.cutoffs) for _ in searches if of_lists]
    evaluated = np.flatnonzero(np.diff(relevant.indptr))
    for start in range(0, len(evaluated), _BLOCK):
        report(start, len(evaluated), "users")
        block = evaluated[start : start + _BLOCK]
        of_block = take_rows(relevant, block)
        excluded = take_rows(seen, block) if settings.mask_training else None
        queries = users.rows(block)
        for place, search in enumerate(searches):
            searched = by_codes if search in ASYMMETRIC else index
            k = _depth(settings)
            ranked = rank(search, searched, queries, of_block, excluded, k, settings.candidates)
            sizes = np.diff(of_block.indptr)
            values[place][:, :, block] = _measure(ranked.ranks, sizes, settings)
            if of_lists:
                _expose(exposures[place], ranked, queries, items, excluded)
    cutoffs = tuple(settings.cutoffs)
    return Evaluation(searches, metrics, cutoffs, values, _of_lists(of_lists, exposures, seen))


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


def _depth(settings: EvaluationSettings) -> int:
    """Return how many ranks the metrics need."""
    k = max(settings.cutoffs)
    return max(k, WINDOW) if settings.ndcg == "retrieved" else k


class Ranked(NamedTuple):
    """Ranks of queries, and what they were made of: lists, or the counts of levels of ties."""

    ranks: Ranks
    lists: np.ndarray | None = None  # int32 [Q, k]
    counts: np.ndarray | None = None  # int32 [Q, levels]


def rank(
    search: str,
    index: Index,
    queries: Representation,
    relevant: Csr,
    excluded: Csr | None,
    k: int,
    candidates: int,
) -> Ranked:
    """Return the first ``k`` ranks of each query by one search.

    Hamming search has levels of tied items; the other searches give lists.
    """
    codes, vectors = queries
    if search == "hamming":
        assert codes is not None
        counts, among = index.level_counts(codes, k, excluded, relevant)
        return Ranked(ranks_of_levels(counts, among, k), counts=counts)
    assert vectors is not None
    if search == "continuous":
        lists, _ = index.continuous(vectors, k, excluded)
    elif search == "asymmetric":
        lists, _ = index.asymmetric(vectors, k, excluded)
    else:
        assert codes is not None
        lists, _ = index.hierarchical(codes, vectors, k, excluded, candidates)
    return Ranked(ranks_of_lists(lists, relevant), lists)


def _expose(
    exposure: Exposure,
    ranked: Ranked,
    queries: Representation,
    items: Representation,
    excluded: Csr | None,
) -> None:
    """Add the lists of ``queries`` to those that ``exposure`` counts."""
    if ranked.lists is not None:
        exposure.add_lists(ranked.lists)
        return
    assert ranked.counts is not None
    assert queries.codes is not None
    assert items.codes is not None
    n = len(ranked.counts)
    if excluded is None:
        excluded = Csr(np.zeros(n + 1, dtype=np.int64), np.empty(0, dtype=np.int32))
    own, others = _words(queries.codes), _words(items.codes)
    step = max(1, _COMPARED // len(others))
    for start in range(0, n, step):
        rows = np.arange(start, min(n, start + step))
        distances = np.zeros((len(rows), len(others)), dtype=np.int16)
        for word in range(own.shape[1]):
            distances += np.bitwise_count(own[rows, word][:, None] ^ others[:, word])
        exposure.add_levels(ranked.counts[rows], distances, take_rows(excluded, rows))


def _words(codes: np.ndarray) -> np.ndarray:
    """Return codes as words of 64 bits, padded with zeros: uint64 [rows, words]."""
    padded = np.pad(codes, ((0, 0), (0, -codes.shape[1] % 8)))
    return np.ascontiguousarray(padded).view(np.uint64)


def _of_lists(
    names: Sequence[str], exposures: Sequence[Exposure], seen: Csr
) -> dict[str, np.ndarray]:
    """Return metrics of lists by name: float64 [searches, cutoffs] each; NaN without lists."""
    found: dict[str, np.ndarray] = {}
    for name in names:
        found[name] = np.full((len(exposures), len(exposures[0].cutoffs)), np.nan)
        for place, exposure in enumerate(exposures):
            for row, (lists, none) in enumerate(zip(exposure.lists, exposure.none, strict=True)):
                if lists.any():
                    found[name][place, row] = _of_exposure(name, lists, none, seen)
    return found


def _of_exposure(name: str, lists: np.ndarray, none: np.ndarray, seen: Csr) -> float:
    if name == "coverage":
        return coverage(none)
    if name == "gini":
        return gini(lists)
    users_of = np.bincount(seen.indices, minlength=len(lists))
    return novelty(lists, users_of, len(seen.indptr) - 1)


def _measure(ranks: Ranks, n_relevant: np.ndarray, settings: EvaluationSettings) -> np.ndarray:
    """Return the metrics of ``settings`` that are in ``OF_RANKS``: [metrics, cutoffs, users]."""
    names = [name for name in settings.metrics if name in OF_RANKS]
    return np.stack([_of_ranks(name, ranks, n_relevant, settings) for name in names])


def _of_ranks(
    name: str, ranks: Ranks, n_relevant: np.ndarray, settings: EvaluationSettings
) -> np.ndarray:
    """Return one metric: float64 [cutoffs, users]."""
    cutoffs = settings.cutoffs
    if name == "hr":
        return recall(ranks, n_relevant, cutoffs)
    if name == "any_hit":
        return hit_rate(ranks, cutoffs)
    if name == "precision":
        return precision(ranks, cutoffs)
    if name == "mrr":
        return reciprocal_rank(ranks, cutoffs)
    if name == "map":
        return average_precision(ranks, n_relevant, cutoffs)
    if settings.ndcg == "retrieved":
        return ndcg_retrieved(ranks, cutoffs)
    return ndcg(ranks, n_relevant, cutoffs)
