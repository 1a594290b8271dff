from typing import Any

import pytest

from hashgnn.config.methods import parameters
from hashgnn.errors import InputError
from hashgnn.experiment.tuning import settings_tried, trials, tried_models


def config(budget: int, **training: Any) -> dict[str, Any]:
    entry = {"name": "M", "module": "m", "parameters": {"guidance": {"floor": 0.5}}}
    made: dict[str, Any] = {
        "datasets": {"a": {"training": {"scale": 1.0}}},
        "training": {"scale": 0.5, "epochs": 9},
        "triplets": {"per_interaction": 10},
        "models": {"m": entry, "n": entry},
        "tuning": {
            "datasets": ["a"],
            "seed": 0,
            "budget": budget,
            "training": training,
            "spaces": {
                "m": {"scale": [0.5, 1.0], "guidance.floor": [0.0, 0.5]},
                "n": {"scale": [0.5, 1.0, 2.0, 4.0]},
            },
        },
    }
    made["models"] = {**made["models"], **tried_models(made)}
    return made


@pytest.mark.parametrize("budget", [1, 2, 3, 4])
def test_every_method_gets_the_same_budget_and_its_own_setting_first(budget: int) -> None:
    made = config(budget)

    m, n = settings_tried(made, "a", "m"), settings_tried(made, "a", "n")

    assert len(m) == len(n) == budget
    assert m[0] == {"scale": 1.0, "guidance.floor": 0.5}  # the data set's and the model's own
    assert len({tuple(values.values()) for values in m}) == budget


def test_a_small_space_is_tried_whole_and_in_the_same_order_each_time() -> None:
    tried = settings_tried(config(99), "a", "m")

    assert len(tried) == 4
    assert tried == settings_tried(config(99), "a", "m")


def test_what_the_config_has_is_not_trained_twice() -> None:
    made = config(2)
    first, second = (trial for trial in trials(made) if trial.method == "m")

    assert (first.model, first.configured) == ("m", True)
    assert second.model.startswith("m@scale=")
    assert not second.configured


def test_negatives_are_a_methods_own_where_it_does_not_take_the_workflows() -> None:
    made = config(2)
    made["models"] = {"own": {"shared_training": False, "parameters": {"negatives": 4}}}
    made["tuning"]["spaces"] = {"own": {"negatives": [4, 8]}}
    made["models"] |= tried_models(made)

    first, second = trials(made)

    assert (first.values, first.model) == ({"negatives": 4}, "own")
    assert parameters(made, "a", second.model) == {"negatives": 8}


def test_shortened_trials_are_trainings_of_their_own() -> None:
    first, *_ = trials(config(2, epochs=3))

    assert first.model == "m@epochs=3,scale=1,guidance.floor=0.5"
    assert first.configured
    assert parameters(config(2, epochs=3), "a", first.model)["epochs"] == 3


@pytest.mark.parametrize("guidance", [{}, {"floor": {}}, "soft"])
def test_what_is_tuned_must_be_set(guidance: Any) -> None:
    made = config(2)
    made["models"]["m"] = {"name": "M", "module": "m", "parameters": {"guidance": guidance}}
    made["tuning"]["spaces"] = {"m": {"guidance.floor.low": [0.0, 0.5]}}

    with pytest.raises(InputError, match=r"set models\.m\.parameters\.guidance\.floor\.low"):
        tried_models(made)
