import math

import numpy as np
import pytest
import torch

from hashgnn.graph import Graph
from hashgnn.models import hash_gumb
from hashgnn.models.hash_gumb import HashGumbModel, Parameters, Temperature, gumbel_bits
from hashgnn.models.method import Progress
from tests.training.planted import check_codes, train

PAIR = Graph(np.array([0, 1, 2]), np.array([1, 0], dtype=np.int32), 1)
START = Progress(0, 10)
DRAWS = 40_000


def model(hard: bool) -> HashGumbModel:
    torch.manual_seed(0)
    return HashGumbModel(PAIR, 3, Parameters(embedding_width=4, widths=(4, 4), hard=hard))


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


# Renewed each 500: exp(-0.05) at 500 to 999, exp(-0.65) at 6,500; exp(-0.7) is below the floor.
@pytest.mark.parametrize(
    ("iteration", "tau"),
    [(0, 1.0), (499, 1.0), (999, 0.951229), (6999, 0.522046), (7000, 0.5), (10**6, 0.5)],
)
def test_the_temperature_falls_to_its_floor(iteration: int, tau: float) -> None:
    assert Temperature().tau(Progress(iteration, 100)) == pytest.approx(tau, abs=1e-6)


def draw(a: float, tau: float) -> torch.Tensor:
    return gumbel_bits(torch.full((DRAWS,), a), tau, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("tau", [1.0, 0.5, 0.1])
def test_a_bit_is_positive_as_often_as_its_logits_say(tau: float) -> None:
    # a = ln(3) / 2: sigma(2 a) = 3/4, whatever the temperature; the sign's mean is tanh(a) = 1/2.
    sample = draw(math.log(3) / 2, tau)

    assert abs((sample > 0).double().mean() - 0.75) < 0.01  # 4.6 standard deviations
    assert sample.abs().max() <= 1


@pytest.mark.parametrize(("a", "tau"), [(0.0, 1.0), (0.7, 1.0), (-0.4, 0.5)])
def test_samples_are_distributed_as_those_of_the_softmax(a: float, tau: float) -> None:
    torch.manual_seed(1)
    logits = torch.tensor([a, -a]).expand(DRAWS, 2)
    softmax = 2 * torch.nn.functional.gumbel_softmax(logits, tau)[:, 0] - 1

    ours, theirs = draw(a, tau).sort().values, softmax.sort().values

    for level in (-0.9, -0.5, 0.0, 0.5, 0.9):
        shares = [(sample <= level).double().mean() for sample in (ours, theirs)]
        assert abs(shares[0] - shares[1]) < 0.015  # 4.2 standard deviations at the worst
        # 2 y - 1 <= c where the logistic noise is at most 2 tau artanh(c) - 2 a.
        exact = 1 / (1 + math.exp(2 * a - 2 * tau * math.atanh(level)))
        assert abs(shares[0] - exact) < 0.01


def test_without_temperature_left_a_sample_is_a_bit() -> None:
    assert (draw(0.3, 1e-4).abs() > 0.99).double().mean() > 0.99


def test_the_gradient_is_that_of_the_relaxed_sample() -> None:
    a, tau = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64, requires_grad=True), 0.5

    sample = gumbel_bits(a, tau, torch.Generator().manual_seed(3))
    sample.sum().backward()

    torch.testing.assert_close(a.grad, (1 - sample.detach() ** 2) / tau)


def test_codes_find_the_planted_groups() -> None:
    check_codes(train(hash_gumb))
