from itertools import pairwise

import numpy as np
import pytest
import torch

from hashgnn.data.interactions import Csr
from hashgnn.graph import NeighborSampler, bipartite_graph
from hashgnn.models.graph_hasher import Batch
from hashgnn.training.batches import Batches

TRAIN = Csr(np.array([0, 2, 5, 6, 9]), np.array([0, 1, 1, 2, 3, 0, 0, 2, 3], dtype=np.int32))
NEGATIVES = np.zeros((1, 9, 1), dtype=np.int32)


def links(batch: Batch) -> list[tuple[int, int]]:
    rows = zip(batch.users.tolist(), batch.items[:, 0].tolist(), strict=True)
    nodes = batch.nodes.tolist()
    return [(nodes[user], nodes[item] - 4) for user, item in rows]


@pytest.mark.parametrize("by_user", [False, True])
def test_an_epoch_has_every_interaction_once(by_user: bool) -> None:
    graph = bipartite_graph(TRAIN, 4)
    batches = Batches(
        TRAIN, NEGATIVES, NeighborSampler(graph, [2]), 3, 0, torch.device("cpu"), by_user
    )

    epochs = [[link for batch in batches.epoch(e) for link in links(batch)] for e in range(3)]

    every = sorted(zip(np.repeat(range(4), np.diff(TRAIN.indptr)), TRAIN.indices, strict=True))
    assert all(sorted(epoch) == every for epoch in epochs)
    assert epochs[0] != epochs[1]
    users = [[user for user, _ in epoch] for epoch in epochs]
    apart = [sum(a != b for a, b in pairwise(u)) for u in users]
    assert all((changes == 3) == by_user for changes in apart)


@pytest.mark.parametrize("by_user", [False, True])
def test_equal_weights_are_none(by_user: bool) -> None:
    sampler = NeighborSampler(bipartite_graph(TRAIN, 4), [2])
    plain, weighted = (
        Batches(TRAIN, NEGATIVES, sampler, 3, 0, torch.device("cpu"), by_user) for _ in range(2)
    )
    weighted.weight = np.full(9, 0.1)

    for one, other in zip(plain.epoch(1), weighted.epoch(1), strict=True):
        assert links(one) == links(other)


@pytest.mark.parametrize("by_user", [False, True])
def test_interactions_are_taken_in_proportion_to_their_weights(by_user: bool) -> None:
    sampler = NeighborSampler(bipartite_graph(TRAIN, 4), [2])
    batches = Batches(TRAIN, NEGATIVES, sampler, 9, 0, torch.device("cpu"), by_user)
    weight = np.array([4, 1, 0.25, 1, 1, 2, 0.75, 1, 1])
    batches.weight = weight
    every = list(zip(np.repeat(range(4), np.diff(TRAIN.indptr)), TRAIN.indices, strict=True))

    counts = np.zeros(9)
    epochs = 400
    for epoch in range(epochs):
        (batch,) = batches.epoch(epoch)
        found = np.bincount([every.index(link) for link in links(batch)], minlength=9)
        expected = weight * 9 / weight.sum()
        assert (np.floor(expected) <= found).all()
        assert (found <= np.ceil(expected)).all()
        counts += found
    # Five standard errors of a count that is one of two neighbors: at most 5 * 0.5 / sqrt(400).
    np.testing.assert_allclose(counts / epochs, weight * 9 / weight.sum(), rtol=0, atol=0.125)
