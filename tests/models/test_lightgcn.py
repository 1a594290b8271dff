import math

import numpy as np
import pytest
import torch

from hashgnn.graph import Graph, NeighborSampler
from hashgnn.models import lightgcn
from hashgnn.models.graph_hasher import Batch
from hashgnn.models.lightgcn import LightGcnEncoder, LightGcnModel, Parameters, squared_length
from hashgnn.models.method import Progress
from tests.training.planted import check_vectors

# User 0 knows item 1, item 2 is alone.
PAIR = Graph(np.array([0, 1, 2, 3]), np.array([1, 0, 2], dtype=np.int32), 1)
NODES = torch.tensor([0, 1, 2], dtype=torch.int32)
BLOCKS = [(NODES, NODES[:, None])]
USERS, ITEMS = torch.tensor([0]), torch.tensor([[1, 2]])

# User 0 knows items 1 and 2; item 3 is alone and therefore its own neighbor.
PATH = Graph(np.array([0, 2, 3, 4, 5]), np.array([1, 2, 0, 0, 3], dtype=np.int32), 1)
X = torch.tensor([[1.0], [2.0], [4.0], [7.0]])


def model(layers: int, regularization: float = 0.0) -> LightGcnModel:
    settings = Parameters(embedding_width=2, scale=1, layers=layers, regularization=regularization)
    made = LightGcnModel(PAIR, 2, settings)
    with torch.no_grad():
        made.embedding.copy_(torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    return made


def loss_of(made: LightGcnModel) -> torch.Tensor:
    a = made.forward_whole(made.embedding, PAIR, NODES, 1)
    batch = Batch(NODES, BLOCKS, 1, USERS, ITEMS)
    return made.batch_loss(a, batch, Progress(0, 1), torch.Generator())


def test_loss_by_hand() -> None:
    # One layer: user and item become their mean (1, 1/2), the lonely item stays (1, 1).
    # <u, j> - <u, i> = 3/2 - 5/4. Squared lengths of the embeddings: 4 + 1 + 2.
    expected = math.log1p(math.exp(0.25)) + 0.1 / 2 * 7

    assert loss_of(model(1, regularization=0.1)).item() == pytest.approx(expected)


def test_without_layers_it_is_matrix_factorization() -> None:
    # <u, j> - <u, i> = 2 - 0.
    assert loss_of(model(0)).item() == pytest.approx(math.log1p(math.exp(2)))


def test_the_gradient_is_that_of_the_loss() -> None:
    made = model(2, regularization=0.3)
    loss_of(made).backward()

    for row, column in np.ndindex(3, 2):
        values = []
        for step in (1e-2, -1e-2):
            moved = model(2, regularization=0.3)
            with torch.no_grad():
                moved.embedding[row, column] += step
            values.append(loss_of(moved).item())
        numeric = (values[0] - values[1]) / 2e-2
        assert made.embedding.grad[row, column].item() == pytest.approx(numeric, abs=1e-4)


def test_the_vectors_are_the_representations() -> None:
    made = model(1)

    vectors = made.propagate(PAIR).vectors

    assert vectors.tolist() == [[1, 0.5], [1, 0.5], [1, 1]]
    assert torch.equal(
        vectors,
        made.training_codes(
            made.forward_whole(made.embedding, PAIR, NODES, 1), Progress(0, 1), torch.Generator()
        ),
    )


def test_the_penalty_is_a_mean_over_triplets() -> None:
    x = torch.tensor([[1.0], [2.0], [3.0], [4.0]])

    # Two pairs with two negatives each: (1, 4; 9, 16) and (1, 9; 4, 16).
    penalty = squared_length(x, torch.tensor([0, 0]), torch.tensor([[1, 2, 3], [2, 1, 3]]))

    assert penalty.item() == pytest.approx((5 + 10) / 2 + (9 + 16 + 4 + 16) / 4)


def test_two_layers_by_hand() -> None:
    # With r = 1 / sqrt(2): layer 1 is ((2 + 4) r, r, r, 7), layer 2 ((r + r) r, 6 r r, 6 r r, 7).
    r = 1 / math.sqrt(2)
    expected = [(1 + 6 * r + 1) / 3, (2 + r + 3) / 3, (4 + r + 3) / 3, 7]

    out = LightGcnEncoder(1, 2, PATH).propagate(X, PATH)

    torch.testing.assert_close(out.flatten(), torch.tensor(expected))


def test_inference_matches_what_was_trained() -> None:
    encoder = LightGcnEncoder(1, 2, PATH)
    sampler = NeighborSampler(PATH, [3, 2])
    nodes = np.array([2, 0, 3], dtype=np.int32)

    sampled = []
    for seed in range(3000):
        blocks = [tuple(map(torch.from_numpy, block)) for block in sampler.blocks(nodes, seed)]
        sampled.append(encoder(X, blocks))

    expected = encoder.propagate(X, PATH)[torch.from_numpy(nodes).long()]
    torch.testing.assert_close(torch.stack(sampled).mean(0), expected, atol=0.02, rtol=0)


def test_vectors_find_the_planted_groups() -> None:
    check_vectors(lightgcn, scale=1)
