"""When a training ends and what its learning rate is, by courses of recall given by hand."""

import pytest

from hashgnn.models import graphsage
from hashgnn.models.method import GraphParameters
from hashgnn.training.fit import Decay
from hashgnn.training.length import ByEpochs, ByValidation, best_epoch, is_rising, length_of
from tests.training.planted import train

PER_EPOCH = 10


def by_validation(decay: Decay | None = None, **changes: float) -> ByValidation:
    settings = {
        **{"least_steps": 20, "most_steps": 200, "patience_steps": 20, "warmup_steps": 5},
        **{"decay_share": 0.5, "learning_rate_end": 0.1, **changes},
    }
    parameters = GraphParameters.model_validate({"length": "validation", **settings})
    made = length_of(parameters, PER_EPOCH, decay)
    assert isinstance(made, ByValidation)
    return made


def epochs_until_over(length: ByEpochs | ByValidation, recalls: list[float]) -> int:
    """The epochs trained, where recall stays at the last of ``recalls``."""
    for number in range(100):
        found = [*recalls, *[recalls[-1]] * 100][:number]
        if length.is_over(found):
            return number
    raise AssertionError("never over")


RISING = [number / 100 for number in range(1, 101)]


@pytest.mark.parametrize(
    ("recalls", "decay", "epochs"),
    [
        ([0.1], Decay(3, 5), 5),  # stuck since epoch 1: two epochs of patience, half of 3 (2)
        ([0.1, 0.2, 0.3, 0.4], Decay(6, 9), 9),
        (RISING, Decay(14, 20), 20),  # 14 and half of it would exceed the most, 20
    ],
)
def test_the_rate_falls_once_recall_is_stuck_or_the_budget_ends(
    recalls: list[float], decay: Decay, epochs: int
) -> None:
    length = by_validation()

    assert epochs_until_over(length, recalls) == epochs
    assert length.decay == decay


def test_not_before_the_least_number_of_steps() -> None:
    assert epochs_until_over(by_validation(least_steps=81), [0.1]) == 9 + round(4.5)
    assert epochs_until_over(by_validation(least_steps=81, most_steps=81), [0.1]) == 9


def test_steps_are_rounded_to_whole_epochs_and_one_at_least() -> None:
    length = by_validation(least_steps=1, most_steps=4, patience_steps=1)

    assert (length.least, length.most) == (1, 1)
    assert epochs_until_over(length, [0.1]) == 1


def test_the_rate_rises_stays_and_falls() -> None:
    length = by_validation(Decay(2, 4))

    rates = [length.factor(iteration) for iteration in range(40)]
    assert rates[:6] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1])
    assert rates[6:20] == [1] * 14
    assert rates[20] == 1
    assert rates[30] == pytest.approx(0.55)  # half of the way from 1 to 0.1
    assert rates[39] == pytest.approx(0.1, abs=0.01)
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert by_validation(warmup_steps=0).factor(0) == 1


@pytest.mark.parametrize(("patience", "epochs"), [(0, 8), (1, 2), (3, 4)])
def test_a_fixed_number_of_epochs_ends_early_with_patience_alone(
    patience: int, epochs: int
) -> None:
    length = length_of(GraphParameters(epochs=8, patience=patience), PER_EPOCH)

    assert epochs_until_over(length, [0.5]) == epochs
    assert length.decay is None
    assert length_of(GraphParameters(epochs=8), PER_EPOCH).factor(40) == 1  # learning_rate_end


def test_the_best_epoch_is_the_first_of_equal_ones() -> None:
    assert best_epoch([]) == 0
    assert best_epoch([0.1, 0.3, 0.3, 0.2]) == 2
    assert best_epoch([float("nan")] * 3) == 3  # nothing held out: the last


@pytest.mark.parametrize(
    ("recalls", "expected"),
    [
        ([], False),
        ([0.1, 0.2, 0.3], False),  # too short to say
        ([0.1, 0.2, 0.3, 0.4], True),
        ([0.1, 0.2, 0.4, 0.402], False),  # by less than one percent
        ([0.4, 0.2, 0.3, 0.35], False),
    ],
)
def test_rising_is_a_clear_gain_in_the_last_quarter(recalls: list[float], expected: bool) -> None:
    assert is_rising(recalls) == expected


def test_a_training_by_validation_ends_by_itself_and_says_when_its_rate_fell() -> None:
    fitted = train(
        graphsage,
        length="validation",
        **{"least_steps": 15, "most_steps": 10**4, "patience_steps": 30, "warmup_steps": 5},
        learning_rate_end=0.1,
    )
    begin, end = fitted.facts["decay"]

    assert 1 <= fitted.facts["best_epoch"] <= end
    assert end == begin + max(1, round(begin / 2))
    assert end < 100


def test_a_training_that_ends_while_recall_rises_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    train(graphsage, epochs=4, learning_rate=0.004)

    assert capsys.readouterr().err.splitlines()[-1] == (
        "validation recall was still rising when the training ended: raise epochs (4) to go on"
    )
