import math

import numpy as np
import pytest
import torch

from hashgnn.graph.bipartite import Graph
from hashgnn.models.hashing import Progress
from hashgnn.models.hashnet import HashNet, HashNetSettings

PAIR = Graph(np.array([0, 1, 2]), np.array([1, 0], dtype=np.int32), 1)


@pytest.fixture
def model() -> HashNet:
    torch.manual_seed(0)
    return HashNet(PAIR, 3, HashNetSettings(embedding_width=4, widths=(4, 4)))


def test_codes_and_their_gradient_by_hand(model: HashNet) -> None:
    # At t = 1600 beta is 3. tanh(3 * ln(2) / 3) = (2 - 1/2) / (2 + 1/2) = 0.6.
    a = torch.tensor([[0.0, math.log(2) / 3, -math.log(2) / 3]], requires_grad=True)

    codes = model.training_codes(a, Progress(1601, 100), torch.Generator())
    codes.sum().backward()

    torch.testing.assert_close(codes, torch.tensor([[0.0, 0.6, -0.6]]))
    # The derivative is beta (1 - h^2).
    torch.testing.assert_close(a.grad, torch.tensor([[3.0, 3 * 0.64, 3 * 0.64]]))


def test_vectors_are_made_with_the_beta_that_the_weights_were_trained_with(model: HashNet) -> None:
    a = torch.ones(1, 3)
    model.training_codes(a, Progress(1600, 100), torch.Generator())
    best = {name: value.clone() for name, value in model.state_dict().items()}
    vectors = model.propagate(PAIR).vectors
    model.training_codes(a, Progress(10**6, 100), torch.Generator())
    assert not torch.equal(model.propagate(PAIR).vectors, vectors)

    model.load_state_dict(best)

    assert torch.equal(model.propagate(PAIR).vectors, vectors)
    assert model.beta.item() == 3
