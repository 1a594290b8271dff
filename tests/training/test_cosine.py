import pytest

from hashgnn.training.optimizer import cosine


@pytest.mark.parametrize(
    ("share", "end", "factor"),
    [(0, 0.2, 1), (0.5, 0.2, 0.6), (1, 0.2, 0.2), (1 / 3, 0, 0.75), (0.7, 1, 1)],
)
def test_factor_by_hand(share: float, end: float, factor: float) -> None:
    assert cosine(share, end) == pytest.approx(factor)
