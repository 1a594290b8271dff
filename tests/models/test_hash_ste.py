import numpy as np
import torch

from hashgnn.graph import Graph
from hashgnn.models import hash_ste
from hashgnn.models.hash_ste import HashSteModel, Parameters
from hashgnn.models.method import Progress
from tests.training.planted import check_codes, train

PAIR = Graph(np.array([0, 1, 2]), np.array([1, 0], dtype=np.int32), 1)


def test_the_loss_sees_signs_and_the_gradient_passes_the_tanh_alone() -> None:
    model = HashSteModel(PAIR, 3, Parameters(embedding_width=4, widths=(4, 4)))
    a = torch.tensor([[-0.5, 0.0, 2.0]], requires_grad=True)

    codes = model.training_codes(a, Progress(0, 1), torch.Generator())
    codes.sum().backward()

    assert codes.tolist() == [[-1, 1, 1]]
    torch.testing.assert_close(a.grad, 1 - a.detach().tanh() ** 2)


def test_codes_find_the_planted_groups() -> None:
    check_codes(train(hash_ste))
