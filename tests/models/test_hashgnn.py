import math

import numpy as np
import pytest
import torch

from hashgnn.graph.bipartite import Graph
from hashgnn.models.hashgnn import HashGnn, HashGnnSettings

PAIR = Graph(np.array([0, 1, 2]), np.array([1, 0], dtype=np.int32), 1)
POSITIVE, NEGATIVE = torch.tensor([math.log(3)]), torch.tensor([[0.0]])  # sigma: 3/4, 1/2

CROSS = -(math.log(3 / 4) + math.log(1 / 2)) / 2
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

    assert model.loss(POSITIVE, NEGATIVE).item() == pytest.approx(expected)
