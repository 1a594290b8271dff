import pytest
import torch

from hashgnn.hashing.guidance import Guidance, mix
from hashgnn.hashing.progress import Progress


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
