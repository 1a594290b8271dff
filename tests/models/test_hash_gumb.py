import numpy as np
import pytest
import torch

from hashgnn.graph.bipartite import Graph
from hashgnn.models.hash_gumb import HashGumb, HashGumbSettings
from hashgnn.models.hashing import Progress

PAIR = Graph(np.array([0, 1, 2]), np.array([1, 0], dtype=np.int32), 1)
START = Progress(0, 10)


def model(hard: bool) -> HashGumb:
    torch.manual_seed(0)
    return HashGumb(PAIR, 3, HashGumbSettings(embedding_width=4, widths=(4, 4), hard=hard))


@pytest.mark.parametrize("hard", [False, True])
def test_the_mean_of_the_bits_is_the_continuous_vector(hard: bool) -> None:
    hasher = model(hard)
    a = torch.tensor([-0.8, 0.0, 0.5]).expand(40_000, 3)

    samples = hasher.training_codes(a, START, torch.Generator().manual_seed(0))

    means = torch.where(samples >= 0, 1.0, -1.0).mean(0)
    torch.testing.assert_close(means, hasher.continuous(a[0]), atol=0.025, rtol=0)
    assert (samples.abs() == 1).all() == hard


def test_hard_bits_pass_the_gradient_of_the_relaxed_ones() -> None:
    gradients = []
    for hard in (False, True):
        a = torch.linspace(-1, 1, 12).reshape(4, 3).requires_grad_()
        codes = model(hard).training_codes(a, START, torch.Generator().manual_seed(0))
        codes.sum().backward()
        gradients.append(a.grad)

    torch.testing.assert_close(*gradients)


def test_vectors_are_without_noise() -> None:
    hasher = model(hard=False)

    assert torch.equal(hasher.propagate(PAIR).vectors, hasher.propagate(PAIR).vectors)
