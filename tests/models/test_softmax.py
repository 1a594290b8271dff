import math

import pytest
import torch

from hashgnn.models.hashgnn_plus import log_inclusion, sampled_softmax


def test_likelihood_by_hand() -> None:
    logits = torch.tensor([[math.log(2), 0.0, 0.0], [0.0, 0.0, math.log(6)]])
    users, items = torch.tensor([0, 0, 1]), torch.tensor([0, 1, 2])

    # Of user 0: 2/4 and 1/4; of user 1: 6/8.
    expected = -(math.log(1 / 2) + math.log(1 / 4) + math.log(3 / 4)) / 3

    assert sampled_softmax(logits, users, items).item() == pytest.approx(expected)


def test_a_user_with_many_links_can_weigh_less() -> None:
    logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3)]])
    users, items = torch.tensor([0, 0, 0, 0, 1]), torch.tensor([0, 1, 0, 1, 1])

    # Likelihoods 1/2, four times, and 3/4: links weigh 1/2 and 1, or 1/4 and 1.
    for damping, weight in ((0.5, 2), (1.0, 1)):
        expected = (weight * math.log(2) + math.log(4 / 3)) / (weight + 1)
        loss = sampled_softmax(logits, users, items, damping)
        assert loss.item() == pytest.approx(expected)


def test_inclusion_by_hand() -> None:
    popularity = torch.tensor([0.5, 0.0])

    chances = log_inclusion(popularity, n_items=4, links=2, negatives=1).exp()

    # Missed by two draws by popularity and one uniform draw: 1/2 * 1/2 * 3/4, and 3/4.
    assert chances.tolist() == pytest.approx([1 - 3 / 16, 1 / 4])


def test_some_items_stand_for_all() -> None:
    """Corrected for the chance of being drawn, sums over samples average to the whole sum."""
    generator = torch.Generator().manual_seed(0)
    exponents = torch.rand(50, generator=generator, dtype=torch.float64)
    popularity = torch.rand(50, generator=generator, dtype=torch.float64)
    popularity /= popularity.sum()
    chances = log_inclusion(popularity, 50, links=10, negatives=10).double()

    sums = []
    for _ in range(3000):
        linked = torch.multinomial(popularity, 10, replacement=True, generator=generator)
        uniform = torch.randint(50, (10,), generator=generator)
        batch = torch.cat([linked, uniform]).unique()
        sums.append((exponents - chances)[batch].exp().sum())

    assert torch.stack(sums).mean().item() == pytest.approx(exponents.exp().sum().item(), rel=0.01)
