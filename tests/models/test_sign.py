import numpy as np
import torch

from hashgnn.models.hashing import pack, sign, straight_through


def test_zero_is_positive() -> None:
    assert sign(torch.tensor([-0.1, 0.0, 0.1])).tolist() == [-1, 1, 1]


def test_straight_through_passes_the_gradient() -> None:
    z = torch.tensor([-0.5, 0.0, 2.0], requires_grad=True)

    (straight_through(z) * torch.tensor([3.0, 5.0, 7.0])).sum().backward()

    assert z.grad is not None
    assert z.grad.tolist() == [3, 5, 7]


def test_pack_puts_the_first_bit_lowest_and_pads_with_zeros() -> None:
    z = np.array([[0.5, -1, 0, -1, -1, -1, -1, 2, 3], [-1.0] * 9])

    assert pack(z).tolist() == [[0b10000101, 1], [0, 0]]
