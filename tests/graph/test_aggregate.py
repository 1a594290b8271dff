import numpy as np
import torch

from hashgnn.graph.aggregate import gather, gather_reference, whole_mean
from hashgnn.graph.bipartite import Graph


def test_gather_by_hand() -> None:
    x = torch.tensor([[1.0, 0.0], [3.0, 2.0], [5.0, 10.0]])

    gathered = gather(x, torch.tensor([2, 0]), torch.tensor([[0, 1], [2, 2]]))

    assert gathered.tolist() == [[5, 10, 2, 1], [1, 0, 5, 10]]


def test_kernels_agree_with_torch_forward_and_backward() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(20, 13, generator=generator)
    targets = torch.randperm(20, generator=generator)[:8].int()
    neighbors = torch.randint(20, (8, 5), generator=generator).int()
    weights = torch.randn(8, 26, generator=generator)

    results = []
    for function in (gather, gather_reference):
        leaf = x.clone().requires_grad_()
        gathered = function(leaf, targets, neighbors)
        (gathered * weights).sum().backward()
        results.append((gathered, leaf.grad))

    for kernel, reference in zip(*results, strict=True):
        torch.testing.assert_close(kernel, reference)


def test_reference_gradient_is_that_of_finite_differences() -> None:
    x = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    targets, neighbors = torch.tensor([1, 4]), torch.tensor([[0, 1, 1], [5, 2, 0]])

    assert torch.autograd.gradcheck(lambda x: gather(x, targets, neighbors), (x,))


def test_whole_mean_by_hand() -> None:
    graph = Graph(np.array([0, 2, 3]), np.array([0, 1, 1], dtype=np.int32), 1)

    mean = whole_mean(torch.tensor([[1.0, 4.0], [3.0, 8.0]]), graph)

    assert mean.tolist() == [[2, 6], [3, 8]]
