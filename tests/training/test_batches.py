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
