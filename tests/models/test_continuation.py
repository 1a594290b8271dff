import pytest

from hashgnn.models.hashing import Progress
from hashgnn.models.hashnet import Continuation


# t = 0, 0, 200, 1600, 4800: the square roots of 1, 1, 2, 9 and 25.
@pytest.mark.parametrize(
    ("iteration", "beta"), [(0, 1.0), (199, 1.0), (200, 2**0.5), (1799, 3.0), (4800, 5.0)]
)
def test_the_authors_schedule(iteration: int, beta: float) -> None:
    assert Continuation().beta(Progress(iteration, 100)) == pytest.approx(beta)


@pytest.mark.parametrize("per_epoch", [10, 1000])
def test_a_schedule_in_epochs_does_not_depend_on_the_size_of_the_batch(per_epoch: int) -> None:
    continuation = Continuation(gamma=1.5, power=0.5, every=2, unit="epochs")

    course = [continuation.beta(Progress(e * per_epoch, per_epoch)) for e in range(6)]

    assert course == pytest.approx([1, 1, 2, 2, 7**0.5, 7**0.5])  # t = 0, 2 and 4
