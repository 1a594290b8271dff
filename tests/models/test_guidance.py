import pytest
import torch

from hashgnn.models.hashgnn import Guidance, mix, pick_by_pair
from hashgnn.models.hashing import Progress


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
