"""Metrics against hand-worked cases, every order of small ties, and ir-measures."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashgnn.data.interactions import Csr
from hashgnn.evaluation.metrics import WINDOW, any_hit, ndcg, ndcg_retrieved
from hashgnn.evaluation.ranks import Ranks, hit_rate, ranks_of_levels, ranks_of_lists


def rows(*lists: list[int]) -> Csr:
    indptr = np.cumsum([0, *map(len, lists)])
    return Csr(indptr, np.array([item for row in lists for item in row], dtype=np.int32))


def listed(ranked: list[int], relevant: list[int]) -> Ranks:
    return ranks_of_lists(np.array([ranked], dtype=np.int32), rows(sorted(relevant)))


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
    assert hit_rate(ranks, size, [n])[0, 0] == pytest.approx(hr, abs=1e-15)
    assert any_hit(ranks, [n])[0, 0] == hit
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
    assert hit_rate(ranks, size, [n])[0, 0] == pytest.approx(hr, abs=1e-15)
    assert any_hit(ranks, [n])[0, 0] == pytest.approx(hit, abs=1e-15)
    assert ndcg(ranks, size, [n])[0, 0] == pytest.approx(gain, abs=1e-15)


def test_retrieved_ndcg_forgives_what_was_not_retrieved() -> None:
    ranked = [1, 2, *range(10, 10 + WINDOW - 2)]
    value = ndcg_retrieved(listed(ranked, [2, 5]), [2])[0, 0]
    assert value == pytest.approx(SECOND)  # the ideal has one item, 5 was never retrieved
    assert ndcg_retrieved(listed(ranked, [5]), [2])[0, 0] == 0


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
    found = [hit_rate(single, total, [n]), any_hit(single, [n]), ndcg(single, total, [n])]
    closed = [hit_rate(ranks, total, [n]), any_hit(ranks, [n]), ndcg(ranks, total, [n])]
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
