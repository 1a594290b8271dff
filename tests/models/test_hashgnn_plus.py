import math

import numpy as np
import pytest
import torch

from hashgnn.graph.bipartite import Graph
from hashgnn.models.hashgnn_plus import HashGnnPlus, HashGnnPlusSettings
from hashgnn.models.hashing import Progress
from hashgnn.training.batches import Batch

# User 0 took item 0 (node 1); item 1 (node 2) is taken by nobody but itself.
GRAPH = Graph(np.array([0, 1, 2, 3]), np.array([1, 0, 2], dtype=np.int32), 1)
BATCH = Batch(
    nodes=torch.tensor([0, 1, 2]),
    blocks=[],
    n_users=1,
    users=torch.tensor([0]),
    items=torch.tensor([[1, 2]]),
)
SETTINGS = HashGnnPlusSettings(
    embedding_width=4, widths=(4, 4), scale=0.5, vector_scale=2.0, vector_weight=3.0
)


@pytest.fixture
def model() -> HashGnnPlus:
    torch.manual_seed(0)
    return HashGnnPlus(GRAPH, 2, SETTINGS)


def test_loss_by_hand(model: HashGnnPlus) -> None:
    # Codes: user (+, +), items (+, -) and (+, +). Vectors: (1, 0), (0.5, 0) and (0, 9).
    a = torch.tensor([[0.1, 2.0, 1.0, 0.0], [3.0, -0.2, 0.5, 0.0], [0.1, 0.1, 0.0, 9.0]])

    loss = model.batch_loss(a, BATCH, Progress(0, 1), torch.Generator())

    # Each of two items has half of the links and is in a batch of a link and a negative with
    # chance 1 - 1/2 * 1/2, the same for both. Similarities: 0.5 * (0, 2) and 2 * (0.5, 0).
    codes, vectors = math.log(1 + math.exp(1)), math.log(1 + math.exp(-1))
    assert loss.item() == pytest.approx(codes + 3 * vectors, rel=1e-5)


def test_codes_and_vectors_have_heads_of_their_own(model: HashGnnPlus) -> None:
    before = model.propagate(GRAPH)
    with torch.no_grad():
        model.item_vector.weight += 1.0
    after = model.propagate(GRAPH)

    assert before.vectors.shape == before.hashed.shape == (3, 2)
    assert torch.equal(before.hashed, after.hashed)
    assert not torch.equal(before.vectors[1:], after.vectors[1:])
