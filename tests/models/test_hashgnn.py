import math
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from hashgnn.graph import Graph
from hashgnn.models import hashgnn
from hashgnn.models.graph_hasher import Batch
from hashgnn.models.hashgnn import (
    Guidance,
    HashGnnModel,
    Parameters,
    mix,
    pick_by_pair,
)
from hashgnn.models.losses import cross_entropy, margin_ranking
from hashgnn.models.method import Progress
from tests.training.planted import agreeing_bits, check_codes, own_group_gap, train

CONFIG = Path(__file__).parents[2] / "config"
PAIR = Graph(np.array([0, 1, 2]), np.array([1, 0], dtype=np.int32), 1)
POSITIVE, NEGATIVE = torch.tensor([math.log(3)]), torch.tensor([[0.0]])  # sigma: 3/4, 1/2

# Sums of the paper; both are divided by the number of pairs, 2.
CROSS = -(math.log(3 / 4) + math.log(1 / 2))
MARGIN = max(0, -3 / 4 + 1 / 2 + 0.3)
BPR = math.log(1 + 1 / 3)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"ranking_weight": 0.5, "margin": 0.3}, CROSS + 0.5 * MARGIN, id="paper"),
        pytest.param({"ranking_weight": 0.0}, CROSS, id="hashgnn_nr"),
        pytest.param(
            {"ranking_loss": "bpr", "ranking_weight": 1.0, "reconstruction_weight": 0.1},
            0.1 * CROSS + BPR,
            id="released code",
        ),
    ],
)
def test_losses_by_hand(settings: dict[str, float], expected: float) -> None:
    model = HashGnnModel(PAIR, 3, Parameters(embedding_width=4, widths=(4, 4), **settings))

    assert model.loss(POSITIVE, NEGATIVE).item() == pytest.approx(expected / 2)


@pytest.mark.parametrize("n", [1, 5, 10, 25])
def test_a_triplet_weighs_lambda_beside_a_pair_whatever_their_number(n: int) -> None:
    """The paper's Eq. 7: L_cross is a sum over pairs and L_rank one over triplets."""
    positive, negative = torch.zeros(3), torch.zeros(3, n)
    cross, ranking = 3 * (1 + n) * math.log(2), 3 * n * 0.2

    model = HashGnnModel(PAIR, 3, Parameters(embedding_width=4, widths=(4, 4)))
    loss = model.loss(positive, negative).item()

    assert loss * 3 * (1 + n) == pytest.approx(cross + 0.5 * ranking)


@pytest.mark.parametrize(
    ("file", "weight_of_means"), [("config.yaml", 0.5), ("official.yaml", 1.0)]
)
def test_a_configs_weight_is_that_of_means_it_was_chosen_or_published_for(
    file: str, weight_of_means: float
) -> None:
    """With ten negatives; to the last bit, so that trainings stay what they were."""
    config = yaml.safe_load((CONFIG / file).read_text())
    weight = config["models"]["hashgnn"]["parameters"]["ranking_weight"]
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(64, 11, generator=generator)
    positive, negative = scores[:, 0], scores[:, 1:]

    settings = Parameters(embedding_width=4, widths=(4, 4), ranking_weight=weight)
    loss = HashGnnModel(PAIR, 3, settings).loss(positive, negative)

    means = cross_entropy(positive, negative), margin_ranking(positive, negative, 0.2)
    assert torch.equal(loss, means[0] + weight_of_means * means[1])


@pytest.mark.parametrize(
    ("iteration", "p"), [(0, 1.0), (249, 1.0), (250, 0.95), (2500, 0.5), (5000, 0.0), (9999, 0.0)]
)
def test_the_papers_schedule(iteration: int, p: float) -> None:
    assert Guidance().probability(Progress(iteration, 100)) == pytest.approx(p)


@pytest.mark.parametrize("per_epoch", [10, 1000])
def test_a_schedule_in_epochs_does_not_depend_on_the_size_of_the_batch(per_epoch: int) -> None:
    guidance = Guidance(step=0.1, every=2, unit="epochs")

    course = [guidance.probability(Progress(e * per_epoch, per_epoch)) for e in range(5)]

    assert course == pytest.approx([1, 1, 0.9, 0.9, 0.8])


def test_the_floor_holds() -> None:
    assert Guidance(floor=0.4).probability(Progress(10**6, 1)) == 0.4


Z = torch.full((200, 50), 0.3)
H = torch.ones(200, 50)


@pytest.mark.parametrize(("p", "expected"), [(1.0, Z), (0.0, H)])
def test_the_ends_are_pure(p: float, expected: torch.Tensor) -> None:
    assert mix(Z, H, p, "element", torch.Generator()).equal(expected)


def test_elements_are_drawn_one_by_one() -> None:
    mixed = mix(Z, H, 0.25, "element", torch.Generator().manual_seed(0))

    continuous = (mixed == 0.3).double()
    assert abs(continuous.mean() - 0.25) < 0.02  # 4.6 standard deviations
    assert (continuous.std(dim=1) > 0).all()


def test_rows_are_drawn_whole() -> None:
    mixed = mix(Z, H, 0.25, "row", torch.Generator().manual_seed(0))

    continuous = (mixed == 0.3).double()
    assert (continuous.std(dim=1) == 0).all()
    assert 0.1 < continuous.mean() < 0.4


def test_a_pair_is_drawn_together_and_its_negatives_apart() -> None:
    users = torch.arange(1000, dtype=torch.int32)
    items = torch.zeros(1000, 3, dtype=torch.int32)

    picked_users, picked_items = pick_by_pair(
        users, items, 5000, 0.25, torch.Generator().manual_seed(0)
    )

    binary_users, binary_items = picked_users - users > 0, picked_items > 0
    assert set((picked_users - users).tolist()) == set(picked_items.unique().tolist()) == {0, 5000}
    assert binary_users.equal(binary_items[:, 0])
    assert abs(binary_items.double().mean() - 0.75) < 0.03  # 3.8 standard deviations
    together = (binary_items[:, 1] == binary_items[:, 2]).double().mean()
    assert abs(together - (0.75**2 + 0.25**2)) < 0.06


def test_codes_find_the_planted_groups() -> None:
    check_codes(train(hashgnn))


@pytest.mark.parametrize("granularity", ["row", "pair"])
def test_codes_find_the_planted_groups_whatever_a_draw_covers(granularity: str) -> None:
    guidance = {"granularity": granularity, "every": 15, "floor": 0.5}

    fitted = train(hashgnn, guidance=guidance)

    assert own_group_gap(fitted.user_vectors @ fitted.item_vectors.T) > 4


@pytest.mark.parametrize(
    "encoder",
    [
        {"encoder": "hashgnn.models.encoders.convolution", "convolution": "GATConv"},
        {"encoder": "hashgnn.models.lightgcn"},
    ],
)
def test_codes_find_the_planted_groups_with_other_encoders(encoder: dict[str, str]) -> None:
    fitted = train(hashgnn, **encoder)

    assert own_group_gap(agreeing_bits(fitted)) > 2.5  # of 12 bits


def test_asymmetric_loss_is_that_of_continuous_users_and_binary_items() -> None:
    a = torch.tensor([[0.3, -1.0, 0.2], [2.0, 0.1, -0.5], [-0.1, -2.0, 0.4]])
    batch = Batch(torch.arange(3), [], 1, torch.tensor([0]), torch.tensor([[1, 2]]))
    settings = {"embedding_width": 4, "widths": (4, 4), "scale": 0.5, "ranking_weight": 0.0}
    graph = Graph(np.array([0, 1, 2, 3]), np.array([1, 0, 2], dtype=np.int32), 1)

    losses = [
        HashGnnModel(graph, 3, Parameters(asymmetric_weight=weight, **settings)).batch_loss(
            a, batch, Progress(0, 1), torch.Generator().manual_seed(0)
        )
        for weight in (0.0, 3.0)
    ]

    user, signs = np.tanh(a[0].numpy()), np.array([[1, 1, -1], [-1, -1, 1]])
    positive, negative = 0.5 * signs @ user
    expected = (math.log1p(math.exp(-positive)) + math.log1p(math.exp(negative))) / 2
    assert (losses[1] - losses[0]).item() == pytest.approx(3 * expected, rel=1e-6)


def test_the_asymmetric_term_trains_too() -> None:
    check_codes(train(hashgnn, asymmetric_weight=1.0))


@pytest.mark.parametrize(
    ("weight", "searches"),
    [(0.0, ("hamming", "hierarchical")), (1.0, ("hamming", "asymmetric"))],
)
def test_the_best_epoch_is_that_of_the_searches_trained_for(
    weight: float, searches: tuple[str, str]
) -> None:
    graph = Graph(np.array([0, 1, 2]), np.array([1, 0], dtype=np.int32), 1)

    assert HashGnnModel(graph, 3, Parameters(asymmetric_weight=weight)).selected_by == searches
