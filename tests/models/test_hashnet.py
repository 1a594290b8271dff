import math

import numpy as np
import pytest
import torch

from hashgnn.graph import Graph
from hashgnn.models import hashnet
from hashgnn.models.hashnet import Continuation, HashNetModel, Parameters
from hashgnn.models.method import Progress
from tests.training.planted import check_codes, train

PAIR = Graph(np.array([0, 1, 2]), np.array([1, 0], dtype=np.int32), 1)


@pytest.fixture
def model() -> HashNetModel:
    torch.manual_seed(0)
    return HashNetModel(PAIR, 3, Parameters(embedding_width=4, widths=(4, 4)))


def test_codes_and_their_gradient_by_hand(model: HashNetModel) -> None:
    # At t = 1600 beta is 3. tanh(3 * ln(2) / 3) = (2 - 1/2) / (2 + 1/2) = 0.6.
    a = torch.tensor([[0.0, math.log(2) / 3, -math.log(2) / 3]], requires_grad=True)

    codes = model.training_codes(a, Progress(1601, 100), torch.Generator())
    codes.sum().backward()

    torch.testing.assert_close(codes, torch.tensor([[0.0, 0.6, -0.6]]))
    # The derivative is beta (1 - h^2).
    torch.testing.assert_close(a.grad, torch.tensor([[3.0, 3 * 0.64, 3 * 0.64]]))


def test_vectors_are_made_with_the_beta_that_the_weights_were_trained_with(
    model: HashNetModel,
) -> None:
    a = torch.ones(1, 3)
    model.training_codes(a, Progress(1600, 100), torch.Generator())
    best = {name: value.clone() for name, value in model.state_dict().items()}
    vectors = model.propagate(PAIR).vectors
    model.training_codes(a, Progress(10**6, 100), torch.Generator())
    assert not torch.equal(model.propagate(PAIR).vectors, vectors)

    model.load_state_dict(best)

    assert torch.equal(model.propagate(PAIR).vectors, vectors)
    assert model.beta.item() == 3


# t = 0, 0, 200, 1600, 4800: the square roots of 1, 1, 2, 9 and 25.
@pytest.mark.parametrize(
    ("iteration", "beta"), [(0, 1.0), (199, 1.0), (200, 2**0.5), (1799, 3.0), (4800, 5.0)]
)
def test_the_authors_schedule(iteration: int, beta: float) -> None:
    assert Continuation().beta(Progress(iteration, 100)) == pytest.approx(beta)


@pytest.mark.parametrize("per_epoch", [10, 1000])
def test_a_schedule_in_epochs_does_not_depend_on_the_size_of_the_batch(per_epoch: int) -> None:
    continuation = Continuation(gamma=1.5, power=0.5, every=2, unit="epochs")

    course = [continuation.beta(Progress(e * per_epoch, per_epoch)) for e in range(6)]

    assert course == pytest.approx([1, 1, 2, 2, 7**0.5, 7**0.5])  # t = 0, 2 and 4


def test_codes_find_the_planted_groups() -> None:
    check_codes(train(hashnet))
