import numpy as np
import pytest
import torch
from torch import Tensor

from hashgnn.graph import Graph, aggregate
from hashgnn.graph.aggregate import (
    Neighborhoods,
    drawn,
    mean_layer,
    mean_layer_reference,
    neighbor_mean,
    neighbor_mean_reference,
    whole,
)

# Node 0 knows 0 and 1, node 1 itself, node 2 everyone.
GRAPH = Graph(np.array([0, 2, 3, 6]), np.array([0, 1, 1, 0, 1, 2], dtype=np.int32), 1)
CPU = torch.device("cpu")


def random_hoods(n_rows: int, kind: str) -> Neighborhoods:
    generator = torch.Generator().manual_seed(1)
    targets = torch.randperm(n_rows, generator=generator)[: n_rows // 2].int()
    if kind == "alone":  # two thirds of the targets, all of them in some blocks
        hoods = random_hoods(n_rows, "drawn")._replace(targets=targets.sort().values)
        return hoods.without_neighbors(n_rows // 3)
    if kind == "drawn":
        return drawn(targets, torch.randint(n_rows, (len(targets), 3), generator=generator).int())
    counts = torch.randint(1, 6, (n_rows,), generator=generator)
    indptr = torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)]).numpy()
    indices = torch.randint(n_rows, (indptr[-1],), generator=generator).int().numpy()
    return whole(Graph(indptr, indices, 1), CPU, targets)


def test_means_of_drawn_neighbors_by_hand() -> None:
    x = torch.tensor([[1.0, 0.0], [3.0, 2.0], [5.0, 10.0]])

    mean = neighbor_mean(x, drawn(torch.tensor([2, 0]), torch.tensor([[0, 1], [2, 2]])))

    assert mean.tolist() == [[2, 1], [5, 10]]


@pytest.mark.parametrize(("targets", "rows"), [(None, [0, 1, 2]), (torch.tensor([2, 0]), [2, 0])])
def test_means_of_whole_neighborhoods_by_hand(targets: Tensor | None, rows: list[int]) -> None:
    x = torch.tensor([[1.0, 4.0], [3.0, 8.0], [5.0, 0.0]])

    mean = neighbor_mean(x, whole(GRAPH, CPU, targets))

    assert mean.tolist() == [[[2, 6], [3, 8], [3, 4]][row] for row in rows]


def test_means_of_many_neighbors_are_exact_in_bfloat16() -> None:
    """A sum of ones in bfloat16 would end at 256."""
    x = torch.ones(1, 2, dtype=torch.bfloat16)

    mean = neighbor_mean_reference(x, drawn(torch.tensor([0]), torch.zeros(1, 1000).long()))

    assert mean.tolist() == [[1, 1]]


@pytest.mark.parametrize("kind", ["drawn", "whole", "alone"])
def test_mean_kernels_agree_with_torch_forward_and_backward(kind: str) -> None:
    x, hoods = (
        torch.randn(20, 13, generator=torch.Generator().manual_seed(0)),
        random_hoods(20, kind),
    )
    weights = torch.randn(10, 13, generator=torch.Generator().manual_seed(2))

    results = []
    for function in (neighbor_mean, neighbor_mean_reference):
        leaf = x.clone().requires_grad_()
        mean = function(leaf, hoods)
        (mean * weights).sum().backward()
        results.append((mean, leaf.grad))

    for kernel, reference in zip(*results, strict=True):
        torch.testing.assert_close(kernel, reference)


@pytest.mark.parametrize("kind", ["drawn", "whole", "alone"])
@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("block", [1, 7, 1024])  # of 30 targets
@pytest.mark.parametrize("threads", [1, 2])  # NumPy's products, or torch's
def test_layer_agrees_with_torch_forward_and_backward(
    kind: str, joint: bool, block: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aggregate, "BLOCK", block)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    generator, hoods = torch.Generator().manual_seed(0), random_hoods(60, kind)
    x = torch.randn(60, 13, generator=generator)
    weight = torch.randn(5, 13 if joint else 26, generator=generator)
    bias, factors = torch.randn(5, generator=generator), torch.randn(30, 5, generator=generator)

    results = []
    for function in (mean_layer, mean_layer_reference):
        leaves = [tensor.clone().requires_grad_() for tensor in (x, weight, bias)]
        out = function(leaves[0], hoods, leaves[1], leaves[2], 0.25)
        (out * factors).sum().backward()
        results.append((out, *(leaf.grad for leaf in leaves)))

    for kernel, reference in zip(*results, strict=True):
        torch.testing.assert_close(kernel, reference)


def test_layer_without_gradient_is_the_layer_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregate, "BLOCK", 4)
    x, weight = torch.randn(20, 3, requires_grad=True), torch.randn(2, 6)
    layer = mean_layer(x, random_hoods(20, "whole"), weight, torch.zeros(2), 0.5)

    with torch.no_grad():
        again = mean_layer(x, random_hoods(20, "whole"), weight, torch.zeros(2), 0.5)

    assert torch.equal(layer, again)


@pytest.mark.parametrize("kind", ["drawn", "whole", "alone"])
@pytest.mark.parametrize("joint", [False, True])
def test_gradients_are_those_of_finite_differences(
    kind: str, joint: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernels themselves: numba compiles them for float64 too."""
    monkeypatch.setattr(aggregate, "has_kernels", lambda x: True)
    generator, hoods = torch.Generator().manual_seed(0), random_hoods(8, kind)
    x, weight, bias = (
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in [(8, 3), (2, 3 if joint else 6), (2,)]
    )

    assert torch.autograd.gradcheck(lambda x: neighbor_mean(x, hoods), (x,))
    assert torch.autograd.gradcheck(
        lambda *leaves: mean_layer(leaves[0], hoods, *leaves[1:], 0.25),
        (x, weight, bias),
    )
