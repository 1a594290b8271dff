from collections.abc import Callable

import numpy as np
import pytest
import torch

from hashgnn.graph.bipartite import Graph
from hashgnn.training.batches import Batch
from hashgnn.training.engine import Engine, choose_faster, full_cost, sampled_cost

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


def clock(sampled: list[float], full: list[float]) -> Callable[[Engine], float]:
    """A step takes what is next in the list of its engine."""
    left = {"sampled": iter(sampled), "full": iter(full)}
    return lambda engine: next(left[engine])


@pytest.mark.parametrize(
    ("sampled", "full", "expected"),
    [
        # The first turn, in which kernels are compiled, does not count; of the others the least.
        ([9, 3, 0.002, 3, 3, 3], [0.001, 4, 4, 0.003, 4, 4], ("sampled", "2", "3")),
        ([0.001, 2, 2, 2, 2, 2.5], [9, 9, 9, 9, 9, 1.25], ("full", "2e+03", "1.25e+03")),
        ([1] * 6, [1] * 6, ("sampled", "1e+03", "1e+03")),
    ],
)
def test_auto_takes_the_faster_one_and_says_why(
    sampled: list[float], full: list[float], expected: tuple[str, str, str]
) -> None:
    engine, a, b = expected

    choice = choose_faster(batch(20, (100, 100)), STAR, clock(sampled, full))

    assert choice == (engine, f"a step took {a} ms sampled, {b} over whole neighborhoods")


def never(engine: Engine) -> float:
    raise AssertionError(f"{engine} was tried")


def test_what_cannot_win_is_not_tried() -> None:
    # 41 nodes with 80 neighbors and the hub with 40, against two targets with a neighbor each.
    assert choose_faster(batch(1, (1, 1)), STAR, never) == (
        "sampled",
        "over whole neighborhoods a step costs 15 times as much",
    )
