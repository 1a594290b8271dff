import math

import pytest
import torch

from hashgnn.models.losses import (
    bpr,
    cross_entropy,
    margin_ranking,
    similarity,
    similarity_reference,
)

POSITIVE = torch.tensor([0.0, math.log(3)])  # sigma: 1/2, 3/4
NEGATIVE = torch.tensor([[0.0, math.log(3)], [-math.log(3), 0.0]])  # 1/2, 3/4; 1/4, 1/2


def test_cross_entropy_by_hand() -> None:
    likelihoods = [1 / 2, 3 / 4, 1 / 2, 1 / 4, 3 / 4, 1 / 2]

    expected = -sum(map(math.log, likelihoods)) / 6

    assert cross_entropy(POSITIVE, NEGATIVE).item() == pytest.approx(expected)


def test_margin_ranking_by_hand() -> None:
    # -1/2+1/2+0.2, -1/2+3/4+0.2, max(0, -3/4+1/4+0.2), max(0, -3/4+1/2+0.2)
    expected = (0.2 + 0.45 + 0 + 0) / 4

    assert margin_ranking(POSITIVE, NEGATIVE, 0.2).item() == pytest.approx(expected)


def test_bpr_by_hand() -> None:
    odds = [1, 3, 1 / 9, 1 / 3]  # exp(s- - s+)

    expected = sum(math.log(1 + ratio) for ratio in odds) / 4

    assert bpr(POSITIVE, NEGATIVE).item() == pytest.approx(expected)


def test_similarity_by_hand() -> None:
    codes = torch.tensor([[1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])

    scores = similarity(codes, torch.tensor([0]), torch.tensor([[1, 2, 0]]), scale=0.25)

    assert scores.tolist() == [[0, -0.5, 0.5]]


def test_similarity_kernels_agree_with_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(12, 9, generator=generator)
    users = torch.randint(12, (7,), generator=generator).int()
    items = torch.randint(12, (7, 4), generator=generator).int()
    weights = torch.randn(7, 4, generator=generator)

    results = []
    for function in (similarity, similarity_reference):
        leaf = z.clone().requires_grad_()
        scores = function(leaf, users, items, 0.3)
        (scores * weights).sum().backward()
        results.append((scores, leaf.grad))

    for kernel, reference in zip(*results, strict=True):
        torch.testing.assert_close(kernel, reference)
