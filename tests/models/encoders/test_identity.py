import torch

from hashgnn.models.encoders import Identity


def test_targets_are_followed_through_all_blocks() -> None:
    x = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    unused = torch.zeros(3, 1).int()
    blocks = [(torch.tensor([3, 1, 2]), unused), (torch.tensor([2, 0]), unused[:2])]

    assert Identity(1)(x, blocks).tolist() == [[2], [3]]
