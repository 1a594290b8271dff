import pytest
import torch

from hashgnn.training.optimizer import (
    BETAS,
    EPSILON,
    cosine,
    touches_few,
    update_rows,
    update_rows_reference,
)

N_NODES, WIDTH, RATE = 12, 5, 0.01


def steps(n_read: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Ten steps: the nodes that each reads, and their gradients."""
    generator = torch.Generator().manual_seed(0)
    return [
        (
            torch.randperm(N_NODES, generator=generator)[:n_read].int(),
            2.0**-step * torch.randn(n_read, WIDTH, generator=generator),
        )
        for step in range(10)
    ]


def table() -> torch.Tensor:
    return torch.randn(N_NODES, WIDTH, generator=torch.Generator().manual_seed(1))


def ours(n_read: int) -> torch.Tensor:
    rows = table()
    first, second = torch.zeros_like(rows), torch.zeros_like(rows)
    for number, (nodes, gradient) in enumerate(steps(n_read), start=1):
        update_rows(rows, first, second, nodes, gradient, RATE, number)
    return rows


def test_rows_that_a_step_does_not_read_stay_as_with_sparse_adam() -> None:
    """Which adds epsilon at another place: unseen, where gradients are not as small as that."""
    theirs = table().requires_grad_()
    adam = torch.optim.SparseAdam([theirs], lr=RATE, betas=BETAS, eps=EPSILON)
    for nodes, gradient in steps(n_read=4):
        theirs.grad = torch.sparse_coo_tensor(
            nodes[None].long(), gradient, theirs.shape, check_invariants=True
        )
        adam.step()

    torch.testing.assert_close(ours(n_read=4), theirs.detach())


def test_where_every_row_is_read_it_is_adam() -> None:
    theirs = table().requires_grad_()
    adam = torch.optim.Adam([theirs], lr=RATE, betas=BETAS, eps=EPSILON)
    for nodes, gradient in steps(n_read=N_NODES):
        theirs.grad = torch.zeros(N_NODES, WIDTH).index_copy(0, nodes.long(), gradient)
        adam.step()

    torch.testing.assert_close(ours(n_read=N_NODES), theirs.detach())


def test_the_kernel_is_the_reference() -> None:
    rows, first = table(), torch.rand(N_NODES, WIDTH)
    kernel, plain = ([rows.clone(), first.clone(), first.square()] for _ in range(2))
    nodes, gradient = steps(n_read=4)[0]

    update_rows(*kernel, nodes, gradient, RATE, 3)
    size, root = RATE / (1 - BETAS[0] ** 3), (1 - BETAS[1] ** 3) ** 0.5
    update_rows_reference(*plain, nodes, gradient, size, root)

    for one, other in zip(kernel, plain, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("wanted", "n_read", "few"),
    [("auto", 24, True), ("auto", 25, False), ("all", 1, False), ("touched", 100, True)],
)
def test_auto_goes_by_the_share_that_the_first_batch_reads(
    wanted: str, n_read: int, few: bool
) -> None:
    assert touches_few(wanted, n_read, n_nodes=100) is few


@pytest.mark.parametrize(
    ("share", "end", "factor"),
    [(0, 0.2, 1), (0.5, 0.2, 0.6), (1, 0.2, 0.2), (1 / 3, 0, 0.75), (0.7, 1, 1)],
)
def test_factor_by_hand(share: float, end: float, factor: float) -> None:
    assert cosine(share, end) == pytest.approx(factor)
