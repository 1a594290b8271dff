import math

import numpy as np
import pytest
import torch

from hashgnn.graph.bipartite import Graph
from hashgnn.models.hashing import Progress
from hashgnn.models.lightgcn import LightGcn, LightGcnSettings, squared_length
from hashgnn.training.batches import Batch

# User 0 knows item 1, item 2 is alone.
PAIR = Graph(np.array([0, 1, 2, 3]), np.array([1, 0, 2], dtype=np.int32), 1)
NODES = torch.tensor([0, 1, 2], dtype=torch.int32)
BLOCKS = [(NODES, NODES[:, None])]
USERS, ITEMS = torch.tensor([0]), torch.tensor([[1, 2]])


def model(layers: int, regularization: float = 0.0) -> LightGcn:
    settings = LightGcnSettings(
        embedding_width=2, scale=1, layers=layers, regularization=regularization
    )
    made = LightGcn(PAIR, 2, settings)
    with torch.no_grad():
        made.embedding.copy_(torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    return made


def loss_of(made: LightGcn) -> torch.Tensor:
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
