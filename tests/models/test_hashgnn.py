import math
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from hashgnn.graph.bipartite import Graph
from hashgnn.models.hashgnn import HashGnn, HashGnnSettings
from hashgnn.models.losses.ranking import margin_ranking
from hashgnn.models.losses.reconstruction import cross_entropy

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
    model = HashGnn(PAIR, 3, HashGnnSettings(embedding_width=4, widths=(4, 4), **settings))

    assert model.loss(POSITIVE, NEGATIVE).item() == pytest.approx(expected / 2)


@pytest.mark.parametrize("n", [1, 5, 10, 25])
def test_a_triplet_weighs_lambda_beside_a_pair_whatever_their_number(n: int) -> None:
    """The paper's Eq. 7: L_cross is a sum over pairs and L_rank one over triplets."""
    positive, negative = torch.zeros(3), torch.zeros(3, n)
    cross, ranking = 3 * (1 + n) * math.log(2), 3 * n * 0.2

    model = HashGnn(PAIR, 3, HashGnnSettings(embedding_width=4, widths=(4, 4)))
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

    settings = HashGnnSettings(embedding_width=4, widths=(4, 4), ranking_weight=weight)
    loss = HashGnn(PAIR, 3, settings).loss(positive, negative)

    means = cross_entropy(positive, negative), margin_ranking(positive, negative, 0.2)
    assert torch.equal(loss, means[0] + weight_of_means * means[1])
