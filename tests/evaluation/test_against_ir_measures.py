"""The metrics of ir-measures (trec_eval) on the same lists."""

from itertools import starmap

import ir_measures
import numpy as np
from ir_measures import R, Success, nDCG

from hashgnn.data.interactions import Csr
from hashgnn.evaluation.metrics import any_hit, ndcg
from hashgnn.evaluation.ranks import hit_rate, ranks_of_levels, ranks_of_lists

CUTOFFS = [1, 5, 20]
MEASURES = [[R @ n for n in CUTOFFS], [Success @ n for n in CUTOFFS], [nDCG @ n for n in CUTOFFS]]
ITEMS, QUERIES = 60, 25


def relevant_rows() -> Csr:
    chosen = np.random.default_rng(1).random((QUERIES, ITEMS)) < 0.15
    chosen[:, 7] = True
    return Csr(np.concatenate([[0], np.cumsum(chosen.sum(axis=1))]), np.nonzero(chosen)[1])


def theirs(ranked: np.ndarray, relevant: Csr) -> np.ndarray:
    """Float64 [metrics, cutoffs, queries]; scores fall strictly, so nothing is sorted anew."""
    run = {
        str(query): {str(item): float(-rank) for rank, item in enumerate(items)}
        for query, items in enumerate(ranked)
    }
    slices = starmap(slice, zip(relevant.indptr, relevant.indptr[1:], strict=False))
    judged = {
        str(query): {str(item): 1 for item in relevant.indices[row]}
        for query, row in enumerate(slices)
    }
    measures = [measure for row in MEASURES for measure in row]
    values = np.empty((len(MEASURES), len(CUTOFFS), len(ranked)))
    for value in ir_measures.iter_calc(measures, judged, run):
        metric, cutoff = divmod(measures.index(value.measure), len(CUTOFFS))
        values[metric, cutoff, int(value.query_id)] = value.value
    return values


def test_lists_agree_to_rounding() -> None:
    relevant = relevant_rows()
    ranked = np.array([np.random.default_rng(q).permutation(ITEMS)[:20] for q in range(QUERIES)])
    ranks, total = ranks_of_lists(ranked.astype(np.int32), relevant), np.diff(relevant.indptr)
    ours = [hit_rate(ranks, total, CUTOFFS), any_hit(ranks, CUTOFFS), ndcg(ranks, total, CUTOFFS)]
    np.testing.assert_allclose(ours, theirs(ranked, relevant), rtol=0, atol=1e-12)


def test_ties_agree_with_the_mean_over_random_orders() -> None:
    relevant = relevant_rows()
    distances = np.random.default_rng(2).integers(0, 6, (QUERIES, ITEMS))
    counts = np.stack([(distances == level).sum(axis=1) for level in range(6)], axis=1)
    among = np.zeros_like(counts)
    queries = np.repeat(np.arange(QUERIES), np.diff(relevant.indptr))
    np.add.at(among, (queries, distances[queries, relevant.indices]), 1)
    ranks, total = ranks_of_levels(counts, among, 20), np.diff(relevant.indptr)
    ours = [hit_rate(ranks, total, CUTOFFS), any_hit(ranks, CUTOFFS), ndcg(ranks, total, CUTOFFS)]

    random = np.random.default_rng(3)
    orders = [
        theirs(np.lexsort((random.random(distances.shape), distances))[:, :20], relevant)
        for _ in range(400)
    ]
    means = np.mean(orders, axis=3)  # over the queries: [orders, metrics, cutoffs]
    error = np.std(means, axis=0) / np.sqrt(len(orders))
    assert (np.abs(means.mean(axis=0) - np.mean(ours, axis=2)) <= 5 * error + 1e-12).all()
