import math

import numpy as np
import pytest
import torch

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
