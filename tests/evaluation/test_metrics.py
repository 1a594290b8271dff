"""Metrics against cases worked out by hand, every order of small ties, and other libraries."""

import itertools
import math
from itertools import starmap

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG

from hashgnn.config.evaluation import EvaluationSettings
from hashgnn.data.interactions import Csr
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
from hashgnn.evaluation.representation import evaluate
from hashgnn.search import Representation
from tests.helpers import csr_of


def listed(ranked: list[int], relevant: list[int]) -> Ranks:
    return ranks_of_lists(np.array([ranked], dtype=np.int32), csr_of(sorted(relevant)))


def leveled(counts: list[int], relevant: list[int], k: int) -> Ranks:
    return ranks_of_levels(np.array([counts], np.int32), np.array([relevant], np.int32), k)


SECOND, THIRD = 1 / math.log2(3), 1 / math.log2(4)


@pytest.mark.parametrize(
    ("ranked", "relevant", "n", "hr", "hit", "gain"),
    [
        ([1, 2, 3, 4], [1, 3, 5], 4, 2 / 3, 1, (1 + THIRD) / (1 + SECOND + THIRD)),
        ([1, 2, 3, 4], [1, 3, 5], 1, 1 / 3, 1, 1),
        ([1, 2, 3, 4], [2], 2, 1, 1, SECOND),
        ([1, 2, 3, 4], [2], 1, 0, 0, 0),
        ([1, 2, 3, 4], [9], 4, 0, 0, 0),
        ([1, 2, 3, 4], [4, 3, 2, 1], 4, 1, 1, 1),
        ([7, -1, -1, -1], [7, 8], 4, 1 / 2, 1, 1 / (1 + SECOND)),
        ([-1, -1], [0], 2, 0, 0, 0),
    ],
)
def test_lists_by_hand(
    ranked: list[int], relevant: list[int], n: int, hr: float, hit: float, gain: float
) -> None:
    ranks, size = listed(ranked, relevant), np.array([len(relevant)])
    assert recall(ranks, size, [n])[0, 0] == pytest.approx(hr, abs=1e-15)
    assert hit_rate(ranks, [n])[0, 0] == hit
    assert ndcg(ranks, size, [n])[0, 0] == pytest.approx(gain, abs=1e-15)


@pytest.mark.parametrize(
    ("counts", "relevant", "n", "hr", "hit", "gain"),
    [
        # Two tied items, one of them relevant: half of the first rank's gain.
        ([2], [1], 1, 1 / 2, 1 / 2, 1 / 2),
        ([2], [1], 2, 1, 1, (1 + SECOND) / 2),
        # A certain miss at distance 0, then one relevant item of three at distance 1.
        ([1, 3], [0, 1], 3, 2 / 3, 2 / 3, (SECOND + THIRD) / 3),
        # Two of four: no hit in two draws with chance 2/4 * 1/3.
        ([4], [2], 2, 1 / 2, 5 / 6, 1 / 2),
        # Fewer items than ranks.
        ([1], [1], 3, 1, 1, 1),
        ([0, 0], [0, 0], 2, 0, 0, 0),
    ],
)
def test_ties_by_hand(
    counts: list[int], relevant: list[int], n: int, hr: float, hit: float, gain: float
) -> None:
    ranks, size = leveled(counts, relevant, n), np.array([max(1, sum(relevant))])
    assert recall(ranks, size, [n])[0, 0] == pytest.approx(hr, abs=1e-15)
    assert hit_rate(ranks, [n])[0, 0] == pytest.approx(hit, abs=1e-15)
    assert ndcg(ranks, size, [n])[0, 0] == pytest.approx(gain, abs=1e-15)


@pytest.mark.parametrize(
    ("ranked", "relevant", "n", "share", "first", "average"),
    [
        ([1, 2, 3, 4], [1, 3, 5], 4, 2 / 4, 1, (1 + 2 / 3) / 3),
        ([1, 2, 3, 4], [3, 4], 4, 2 / 4, 1 / 3, (1 / 3 + 2 / 4) / 2),
        ([1, 2, 3, 4], [3, 4], 3, 1 / 3, 1 / 3, (1 / 3) / 2),
        ([1, 2, 3, 4], [9], 4, 0, 0, 0),
        ([7, -1, -1, -1], [7, 8], 4, 1 / 4, 1, 1 / 2),
    ],
)
def test_precision_and_the_ranks_of_hits_by_hand(
    ranked: list[int], relevant: list[int], n: int, share: float, first: float, average: float
) -> None:
    ranks, size = listed(ranked, relevant), np.array([len(relevant)])
    assert precision(ranks, [n])[0, 0] == pytest.approx(share, abs=1e-15)
    assert reciprocal_rank(ranks, [n])[0, 0] == pytest.approx(first, abs=1e-15)
    assert average_precision(ranks, size, [n])[0, 0] == pytest.approx(average, abs=1e-15)


def test_lists_of_all_users_by_hand() -> None:
    # Item 0 in all four lists, items 1 and 2 in two each, item 3 in none.
    counts = np.array([4, 2, 2, 0])
    assert coverage(np.array([0, 0, 0, 1])) == 3 / 4
    assert coverage(np.array([0, 0.5, 1, 1])) == 1.5 / 4
    # Ascending 0, 2, 2, 4 with weights -3, -1, 1, 3: 12 of 4 * 8.
    assert gini(counts) == 12 / 32
    assert gini(np.array([5, 5, 5])) == 0
    # Of eight users, 8, 4 and 1 have them: 0, 1 and 3 bits, weighted by the lists.
    assert novelty(counts, np.array([8, 4, 1, 0]), 8) == (4 * 0 + 2 * 1 + 2 * 3) / 8
    # An item that nobody has counts as one user's.
    assert novelty(counts, np.array([8, 4, 0, 0]), 8) == (4 * 0 + 2 * 1 + 2 * 3) / 8


def test_exposure_of_lists_by_hand() -> None:
    exposure = Exposure(4, [1, 3])
    exposure.add_lists(np.array([[0, 2, -1], [0, 1, 2]], np.int32))
    exposure.add_lists(np.array([[2, -1, -1]], np.int32))

    assert exposure.lists.tolist() == [[2, 0, 1, 0], [2, 1, 3, 0]]
    assert exposure.none.tolist() == [[0, 1, 0, 1], [0, 0, 0, 1]]


def test_exposure_of_ties_by_hand() -> None:
    """One user at distances 0, 1, 1, 1, and one who may not get item 0, at 1, 1, 1, 0."""
    exposure = Exposure(4, [2, 1])  # cutoffs in any order
    distances = np.array([[0, 1, 1, 1], [1, 1, 1, 0]], np.int16)
    exposure.add_levels(np.array([[1, 3], [1, 2]], np.int32), distances, csr_of([], [0]))

    third, half = 1 / 3, 1 / 2
    both = [1, third + half, third + half, third + 1]
    np.testing.assert_allclose(exposure.lists, [both, [1, 0, 0, 1]])
    neither = (1 - third) * (1 - half)
    np.testing.assert_allclose(exposure.none, [[0, neither, neither, 0], [0, 1, 1, 0]], atol=1e-15)


def test_retrieved_ndcg_forgives_what_was_not_retrieved() -> None:
    ranked = [1, 2, *range(10, 10 + WINDOW - 2)]
    value = ndcg_retrieved(listed(ranked, [2, 5]), [2])[0, 0]
    assert value == pytest.approx(SECOND)  # the ideal has one item, 5 was never retrieved
    assert ndcg_retrieved(listed(ranked, [5]), [2])[0, 0] == 0


def measured(ranks: Ranks, total: np.ndarray, cutoffs: list[int]) -> list[np.ndarray]:
    """In the order of MEASURES."""
    return [
        recall(ranks, total, cutoffs),
        hit_rate(ranks, cutoffs),
        ndcg(ranks, total, cutoffs),
        precision(ranks, cutoffs),
        reciprocal_rank(ranks, cutoffs),
        average_precision(ranks, total, cutoffs),
    ]


levels = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=3)


@given(levels, st.integers(1, 7))
def test_closed_form_is_the_mean_over_all_orders(sizes: list[tuple[int, int]], n: int) -> None:
    counts = [relevant + others for relevant, others in sizes]
    relevant = [relevant for relevant, _ in sizes]
    total = np.array([max(1, sum(relevant))])
    ranks = leveled(counts, relevant, n)
    orders = [
        set(itertools.permutations([1] * t + [0] * (c - t)))
        for t, c in zip(relevant, counts, strict=True)
    ]
    hits = [list(itertools.chain(*levels)) for levels in itertools.product(*orders)]
    lists = np.zeros((len(hits), max(n, sum(counts))), dtype=int)
    lists[:, : sum(counts)] = hits
    shape = (len(hits), n)
    single = Ranks(np.broadcast_to(np.arange(n), shape), np.ones(shape, int), lists[:, :n])
    found, closed = measured(single, total, [n]), measured(ranks, total, [n])
    mean = np.mean(found, axis=2, keepdims=True)
    np.testing.assert_allclose(closed, mean, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cut", [(97, 5, 3), (99, 6, 2), (100, 4, 1), (0, 130, 3)])
def test_retrieved_ndcg_is_the_mean_over_orders(cut: tuple[int, int, int]) -> None:
    """A level that the window cuts: ``before`` items, then ``tied``, some of them relevant."""
    before, tied, relevant = cut
    head = np.zeros(before, int)
    head[:: max(1, before // 2)] = 1
    cutoffs = [50, 99, 100, 120]
    size = np.concatenate([np.ones(before, int), np.full(tied, tied)])
    first = np.concatenate([np.arange(before), np.full(tied, before)])
    hits = np.concatenate([head, np.full(tied, relevant)])
    fill = 120 - len(size)
    if fill > 0:
        first = np.concatenate([first, np.arange(len(first), 120)])
        size = np.concatenate([size, np.ones(fill, int)])
        hits = np.concatenate([hits, np.zeros(fill, int)])
    closed = ndcg_retrieved(Ranks(first[None, :120], size[None, :120], hits[None, :120]), cutoffs)
    places = np.array(list(itertools.combinations(range(tied), relevant)))
    orders = np.zeros((len(places), max(120, before + tied)), int)
    orders[:, :before] = head
    np.put_along_axis(orders[:, before:], places, 1, axis=1)
    ones = np.ones((len(places), 120), int)
    single = Ranks(np.broadcast_to(np.arange(120), ones.shape), ones, orders[:, :120])
    mean = ndcg_retrieved(single, cutoffs).mean(axis=1)
    np.testing.assert_allclose(closed[:, 0], mean, rtol=0, atol=1e-10)


CUTOFFS = [1, 5, 20]
MEASURES = [[measure @ n for n in CUTOFFS] for measure in (R, Success, nDCG, P, RR, AP)]
ITEMS, QUERIES = 60, 25


def relevant_rows() -> Csr:
    chosen = np.random.default_rng(1).random((QUERIES, ITEMS)) < 0.15
    chosen[:, 7] = True
    return Csr(np.concatenate([[0], np.cumsum(chosen.sum(axis=1))]), np.nonzero(chosen)[1])


def by_ir_measures(ranked: np.ndarray, relevant: Csr) -> np.ndarray:
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


def test_lists_agree_with_ir_measures_to_rounding() -> None:
    relevant = relevant_rows()
    ranked = np.array([np.random.default_rng(q).permutation(ITEMS)[:20] for q in range(QUERIES)])
    ranks, total = ranks_of_lists(ranked.astype(np.int32), relevant), np.diff(relevant.indptr)
    ours = measured(ranks, total, CUTOFFS)
    np.testing.assert_allclose(ours, by_ir_measures(ranked, relevant), rtol=0, atol=1e-12)


def test_the_evaluation_agrees_with_ir_measures_where_scores_fall_strictly() -> None:
    rng, relevant = np.random.default_rng(4), relevant_rows()
    users, items = (rng.standard_normal((n, 8), np.float32) for n in (QUERIES, ITEMS))
    nothing = Csr(np.zeros(QUERIES + 1, np.int64), np.zeros(0, np.int32))
    names = ("hr", "any_hit", "ndcg", "precision", "mrr", "map")
    settings = EvaluationSettings(cutoffs=tuple(CUTOFFS), metrics=names)

    found = evaluate(
        Representation(None, users), Representation(None, items), relevant, nothing, settings
    )

    assert found.metrics == names
    ranked = np.argsort(-(users @ items.T), axis=1)[:, :20]
    theirs = by_ir_measures(ranked, relevant)
    np.testing.assert_allclose(found.values[0], theirs, rtol=0, atol=1e-12)


def test_ties_agree_with_the_mean_of_ir_measures_over_random_orders() -> None:
    relevant = relevant_rows()
    distances = np.random.default_rng(2).integers(0, 6, (QUERIES, ITEMS))
    counts = np.stack([(distances == level).sum(axis=1) for level in range(6)], axis=1)
    among = np.zeros_like(counts)
    queries = np.repeat(np.arange(QUERIES), np.diff(relevant.indptr))
    np.add.at(among, (queries, distances[queries, relevant.indices]), 1)
    ranks, total = ranks_of_levels(counts, among, 20), np.diff(relevant.indptr)
    ours = measured(ranks, total, CUTOFFS)

    random = np.random.default_rng(3)
    orders = [
        by_ir_measures(np.lexsort((random.random(distances.shape), distances))[:, :20], relevant)
        for _ in range(400)
    ]
    means = np.mean(orders, axis=3)  # over the queries: [orders, metrics, cutoffs]
    error = np.std(means, axis=0) / np.sqrt(len(orders))
    assert (np.abs(means.mean(axis=0) - np.mean(ours, axis=2)) <= 5 * error + 1e-12).all()


def test_recall_and_ndcg_are_those_of_lightgcn() -> None:
    # For a batch of test users it divides hits by test items, and DCG by that of min(n, number of
    # test items) hits at the top, and averages over the users who have test items.
    rng = np.random.default_rng(0)
    users = rng.standard_normal((3, 4)).astype(np.float32)
    items = rng.standard_normal((60, 4)).astype(np.float32)
    relevant_items = [set(rng.choice(60, size, replace=False).tolist()) for size in (3, 30, 0)]
    relevant = Csr(
        np.array([0, 3, 33, 33]), np.array([i for w in relevant_items for i in sorted(w)], np.int32)
    )
    nothing = Csr(np.zeros(4, np.int64), np.zeros(0, np.int32))

    ours = evaluate(
        *(
            Representation(None, users),
            Representation(None, items),
            relevant,
            nothing,
            EvaluationSettings(cutoffs=(20,)),
        )
    )

    recalls, gains = [], []
    for user in range(2):
        ranked = np.argsort(-(items @ users[user]))[:20].tolist()
        hits = [item in relevant_items[user] for item in ranked]
        discounts = [1 / math.log2(rank + 2) for rank in range(20)]
        ideal = sum(discounts[: min(20, len(relevant_items[user]))])
        recalls.append(sum(hits) / len(relevant_items[user]))
        gains.append(sum(d for d, hit in zip(discounts, hits, strict=True) if hit) / ideal)
    assert ours.mean("continuous", "hr", 20) == pytest.approx(np.mean(recalls))
    assert ours.mean("continuous", "ndcg", 20) == pytest.approx(np.mean(gains))


def test_levels_by_hand() -> None:
    """Two items, none relevant; none at all; three, two of them relevant, cut at rank 4."""
    ranks = ranks_of_levels(np.array([[2, 0, 3]], np.int32), np.array([[0, 0, 2]], np.int32), 4)

    assert ranks.first.tolist() == [[0, 0, 2, 2]]
    assert ranks.size.tolist() == [[2, 2, 3, 3]]
    assert ranks.relevant.tolist() == [[0, 0, 2, 2]]
    assert ranks.gain.tolist() == [[0, 0, 2 / 3, 2 / 3]]
    assert ranks.hazard.tolist() == [[0, 0, 2 / 3, 1]]  # two of three, then two of two


def test_ranks_beyond_the_last_item_hold_nothing() -> None:
    levels = ranks_of_levels(np.array([[1]], np.int32), np.array([[1]], np.int32), 3)
    lists = ranks_of_lists(np.array([[4, -1, -1]], np.int32), csr_of([4]))

    for ranks in (levels, lists):
        assert ranks.first.tolist() == [[0, 1, 2]]
        assert ranks.size.tolist() == [[1, 1, 1]]
        assert ranks.relevant.tolist() == [[1, 0, 0]]


def test_each_query_has_its_own_relevant_items() -> None:
    ranks = ranks_of_lists(np.array([[3, 1], [3, 1], [1, 3]], np.int32), csr_of([3], [], [1, 3]))

    assert ranks.relevant.tolist() == [[1, 0], [0, 0], [1, 1]]
