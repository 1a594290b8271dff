import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from hashgnn.config.base import parse
from hashgnn.errors import InputError
from hashgnn.graph import Graph
from hashgnn.models import hashgnn_plus
from hashgnn.models.graph_hasher import Batch
from hashgnn.models.hashgnn_plus import (
    HashGnnPlusModel,
    Parameters,
    log_inclusion,
    sampled_softmax,
)
from hashgnn.models.method import Progress
from tests.training.planted import agreeing_bits, check_codes, own_group_gap, train

# User 0 took item 0 (node 1); item 1 (node 2) is taken by nobody but itself.
GRAPH = Graph(np.array([0, 1, 2, 3]), np.array([1, 0, 2], dtype=np.int32), 1)
BATCH = Batch(
    nodes=torch.tensor([0, 1, 2]),
    blocks=[],
    n_users=1,
    users=torch.tensor([0]),
    items=torch.tensor([[1, 2]]),
)
PARAMETERS = Parameters(
    embedding_width=4, widths=(4, 4), scale=0.5, vector_scale=2.0, vector_weight=3.0
)


@pytest.fixture
def model() -> HashGnnPlusModel:
    torch.manual_seed(0)
    return HashGnnPlusModel(GRAPH, 2, PARAMETERS)


def test_loss_by_hand(model: HashGnnPlusModel) -> None:
    # Codes: user (+, +), items (+, -) and (+, +). Vectors: (1, 0), (0.5, 0) and (0, 9).
    a = torch.tensor([[0.1, 2.0, 1.0, 0.0], [3.0, -0.2, 0.5, 0.0], [0.1, 0.1, 0.0, 9.0]])

    loss = model.batch_loss(a, BATCH, Progress(0, 1), torch.Generator())

    # Each of two items has half of the links and is in a batch of a link and a negative with
    # chance 1 - 1/2 * 1/2, the same for both. Similarities: 0.5 * (0, 2) and 2 * (0.5, 0).
    codes, vectors = math.log(1 + math.exp(1)), math.log(1 + math.exp(-1))
    assert loss.item() == pytest.approx(codes + 3 * vectors, rel=1e-5)


def test_codes_and_vectors_have_heads_of_their_own(model: HashGnnPlusModel) -> None:
    before = model.propagate(GRAPH)
    with torch.no_grad():
        model.item_vector.weight += 1.0
    after = model.propagate(GRAPH)

    assert before.vectors.shape == before.hashed.shape == (3, 2)
    assert torch.equal(before.hashed, after.hashed)
    assert not torch.equal(before.vectors[1:], after.vectors[1:])


# Two users and three items of three bits, and their links (0, 0), (0, 2), (1, 1) and a negative.
TWO = Graph(np.array([0, 2, 3, 4, 5, 6]), np.array([2, 4, 3, 0, 1, 0], dtype=np.int32), 2)
LINKED = Batch(
    nodes=torch.arange(5),
    blocks=[],
    n_users=2,
    users=torch.tensor([0, 0, 1]),
    items=torch.tensor([[2, 3], [4, 3], [3, 2]]),
)
POPULARITY = np.array([1 / 3, 1 / 3, 1 / 3])
ASYMMETRIC = Parameters(
    **{"embedding_width": 4, "widths": (4, 4), "scale": 0.5, "vector_scale": 2.0},
    **{"code_weight": 0.5, "vector_weight": 0.0, "asymmetric_weight": 3.0},
)


def asymmetric_loss(floats: np.ndarray, signs: np.ndarray, codes_of_users: np.ndarray) -> float:
    """The loss of ``LINKED`` in NumPy: users' ``floats``, items' ``signs``, users' codes."""
    chance = 1 - (1 - POPULARITY) ** 3 * (1 - 1 / 3) ** 3
    total = 0.0
    for weight, scale, users in ((0.5, 0.5, codes_of_users), (3.0, 2.0, floats)):
        logits = scale * users @ signs.T - np.log(chance)
        log_shares = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        total -= weight * np.mean([log_shares[pair] for pair in ((0, 0), (0, 2), (1, 1))])
    return float(total)


def differences(loss: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """Central differences of ``loss`` by each number of ``at``."""
    found = np.empty_like(at)
    for place in np.ndindex(*at.shape):
        step = np.zeros_like(at)
        step[place] = 1e-5
        found[place] = (loss(at + step) - loss(at - step)) / 2e-5
    return found


def test_asymmetric_loss_and_its_gradient_are_those_of_numpy() -> None:
    """Of users' floats the gradient is exact; signs take that of the hyperbolic tangent."""
    values = np.random.default_rng(0).standard_normal((5, 6))
    hashed, floats = values[:, :3], values[:2, 3:]
    of_users, signs = np.sign(hashed[:2]), np.sign(hashed[2:])
    a = torch.tensor(values, requires_grad=True)

    model = HashGnnPlusModel(TWO, 3, ASYMMETRIC)
    loss = model.batch_loss(a, LINKED, Progress(0, 1), torch.Generator())
    loss.backward()

    assert loss.item() == pytest.approx(asymmetric_loss(floats, signs, of_users), rel=1e-6)
    assert a.grad is not None
    slopes = 1 - np.tanh(hashed) ** 2
    of_codes = differences(lambda x: asymmetric_loss(floats, signs, x), of_users)
    of_items = differences(lambda x: asymmetric_loss(floats, x, of_users), signs)
    of_floats = differences(lambda x: asymmetric_loss(x, signs, of_users), floats)
    # Chances are float32, differences have errors of their step squared.
    expected = slopes * np.concatenate([of_codes, of_items])
    np.testing.assert_allclose(a.grad[:, :3], expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(a.grad[:2, 3:], of_floats, rtol=1e-5, atol=1e-7)
    assert not a.grad[2:, 3:].any()


@pytest.mark.parametrize(
    ("weights", "searches"),
    [
        ({}, ("hamming", "continuous")),
        ({"asymmetric_weight": 0.5}, ("hamming", "asymmetric", "continuous")),
        ({"asymmetric_weight": 0.5, "vector_weight": 0.0}, ("hamming", "asymmetric")),
    ],
)
def test_the_best_epoch_is_that_of_the_searches_that_are_trained_for(
    weights: dict[str, float], searches: tuple[str, ...]
) -> None:
    assert HashGnnPlusModel(TWO, 3, Parameters(**weights)).selected_by == searches


def test_trained_for_asymmetric_search_vectors_find_codes() -> None:
    fitted = train(hashgnn_plus, asymmetric_weight=1.0)

    check_codes(fitted)
    signs = np.unpackbits(fitted.item_codes, axis=1, bitorder="little") * 2.0 - 1
    scores = fitted.user_vectors @ signs[:, : fitted.user_vectors.shape[1]].T
    assert own_group_gap(scores) > 0.5 * scores.std()


def test_nothing_to_train_for_is_an_error() -> None:
    with pytest.raises(InputError, match=r"^parameters\.code_weight: is 0, as are"):
        parse(Parameters, {"code_weight": 0, "vector_weight": 0}, "parameters")


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


def test_codes_find_the_planted_groups() -> None:
    check_codes(train(hashgnn_plus))


def test_batches_of_whole_users_and_users_known_by_their_items() -> None:
    settings = {"batch_by": "users", "user_embeddings": False, "learning_rate_end": 0.1}

    fitted = train(hashgnn_plus, **settings)

    assert own_group_gap(agreeing_bits(fitted)) > 2.5  # of 12 bits


def test_a_training_that_may_not_be_long_enough_is_refused() -> None:
    steps = {"length": "validation", "most_steps": 10}

    with pytest.raises(InputError, match="most_steps: expected least_steps = 500 or more, got 10"):
        parse(Parameters, steps, "parameters")
    assert parse(Parameters, {**steps, "least_steps": 10}, "parameters").most_steps == 10


def test_whole_neighborhoods_exclude_a_share_of_neighbors() -> None:
    with pytest.raises(InputError, match="neighbor_share: found"):
        parse(Parameters, {"engine": "full", "neighbor_share": 0.5}, "parameters")
