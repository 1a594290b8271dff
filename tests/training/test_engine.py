import numpy as np
import torch

from hashgnn.graph.bipartite import Graph
from hashgnn.training.batches import Batch
from hashgnn.training.engine import choose_engine, full_cost, sampled_cost

# A hub with 40 neighbors.
STAR = Graph(
    np.array([0, 40, *range(41, 81)]), np.array([*range(1, 41), *[0] * 40], dtype=np.int32), 1
)


def batch(n_targets: int, fanouts: tuple[int, int]) -> Batch:
    """Targets are the first nodes; so many rows lie between the layers."""
    last = torch.arange(n_targets), torch.zeros(n_targets, fanouts[0])
    first = torch.arange(2 * n_targets), torch.zeros(2 * n_targets, fanouts[1])
    return Batch(torch.arange(n_targets).int(), [first, last], 1, *[torch.empty(0)] * 2)


def test_costs_by_hand() -> None:
    assert sampled_cost(batch(3, (4, 2))) == (6 * 20 + 6 * 2) + (3 * 20 + 3 * 4)
    # 41 nodes with 80 neighbors; then the hub with 40 and two others with one each.
    assert full_cost(batch(3, (4, 2)), STAR) == (41 * 20 + 80) + (3 * 20 + 42)


def test_auto_takes_the_cheaper_one_and_says_why() -> None:
    small, large = batch(1, (2, 2)), batch(20, (100, 100))

    assert choose_engine("auto", small, STAR).engine == "sampled"
    assert choose_engine("auto", large, STAR) == (
        "full",
        "a step costs 7,200 row reads sampled, 1,359 over whole neighborhoods",
    )


def test_what_the_settings_say_is_taken() -> None:
    assert choose_engine("full", batch(1, (2, 2)), STAR).engine == "full"
