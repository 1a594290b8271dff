"""Trainings of grids, sweeps and tuning."""

from typing import Any

import pytest

from hashgnn.config.methods import negatives, parameters
from hashgnn.errors import InputError
from hashgnn.experiment.runs import (
    Point,
    Run,
    compared_runs,
    derived_models,
    evaluated_runs,
    points,
    runs,
    settings_tried,
    trials,
    tried_models,
    variant,
    variant_id,
)

MODEL: dict[str, Any] = {
    "name": "M",
    "module": "m",
    "parameters": {"weight": 0.5, "guidance": {"start": 1.0, "floor": 0.5}},
    "per_dataset": {"b": {"weight": 0.7}, "c": {"epochs": 2}},
}


def config(**sweeps: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "datasets": {"a": {"training": {"rate": 0.1}}, "b": {}, "c": {}},
        "training": {"rate": 0.2, "epochs": 9},
        "triplets": {"per_interaction": 10},
        "models": {"m": MODEL},
        "sweeps": {
            name: {"name": name, "model": "m", "vary": vary, "values": values}
            for name, (vary, values) in sweeps.items()
        },
    }
    made["models"] = {**made["models"], **derived_models(made)}
    return made


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"w": 0.3}, "m@w=0.3"),
        ({"w": 1.0}, "m@w=1"),
        ({"w": 10}, "m@w=10"),
        ({"w": 0.00001, "kind": "bpr"}, "m@w=1e-05,kind=bpr"),
    ],
)
def test_ids_of_variants_can_be_read(values: dict[str, Any], expected: str) -> None:
    assert variant_id("m", values) == expected


def test_a_variant_differs_in_its_value_alone_and_on_every_data_set() -> None:
    made = variant(MODEL, {"weight": 0.1, "guidance.floor": 0.9})

    assert made["parameters"] == {"weight": 0.1, "guidance": {"start": 1.0, "floor": 0.9}}
    assert made["per_dataset"] == {"b": {"weight": 0.1}, "c": {"epochs": 2}}
    assert MODEL["parameters"]["weight"] == 0.5  # the model itself is left alone


def test_a_value_beats_what_the_data_set_says() -> None:
    made = config(rate=(["rate"], [0.3]))

    assert parameters(made, "a", "m")["rate"] == 0.1
    assert parameters(made, "a", "m@rate=0.3")["rate"] == 0.3


def test_a_value_that_a_model_has_anyway_is_the_model_itself() -> None:
    made = config(weight=(["weight"], [0, 0.5, 0.7]), triplets=(["negatives"], [5, 10]))

    assert list(points(made, "weight", "a", 8)) == [
        Point(0, "m@weight=0", 8),
        Point(0.5, "m", 8),
        Point(0.7, "m@weight=0.7", 8),
    ]
    assert [point.model for point in points(made, "weight", "b", 8)] == [
        "m@weight=0",
        "m@weight=0.5",
        "m",
    ]
    assert [point.model for point in points(made, "triplets", "a", 8)] == ["m@triplets=5", "m"]
    assert negatives(made, "m@triplets=5") == 5


def test_several_keys_take_the_value_together() -> None:
    made = config(p=(["guidance.start", "guidance.floor"], [0.6]))

    guidance = parameters(made, "a", "m@p=0.6")["guidance"]
    assert guidance == {"start": 0.6, "floor": 0.6}


def test_the_length_of_the_code_makes_no_new_model() -> None:
    made = config(length=(["bits"], [8, 16]))

    assert list(points(made, "length", "a", 32)) == [Point(8, "m", 8), Point(16, "m", 16)]
    assert set(made["models"]) == {"m"}


def test_a_grid_has_each_training_once() -> None:
    made = config(weight=(["weight"], [0, 0.5]), length=(["bits"], [8, 32]))
    grid = {
        "datasets": ["a"],
        "models": ["m"],
        "bits": [32],
        "seeds": [0, 1],
        "sweeps": ["weight", "length"],
    }

    assert runs(made, grid) == [
        Run("a", "m", 32, 0),
        Run("a", "m", 32, 1),
        Run("a", "m@weight=0", 32, 0),
        Run("a", "m@weight=0", 32, 1),
        Run("a", "m", 8, 0),
        Run("a", "m", 8, 1),
    ]


def test_nested_ones_are_given_in_part_on_every_level() -> None:
    model = {**MODEL, "per_dataset": {"b": {"guidance": {"floor": 0.4}}}}
    made = {**config(), "models": {"m": model}}

    assert parameters(made, "a", "m")["guidance"] == {"start": 1.0, "floor": 0.5}
    assert parameters(made, "b", "m")["guidance"] == {"start": 1.0, "floor": 0.4}
    assert model["parameters"]["guidance"] == {"start": 1.0, "floor": 0.5}  # left alone


@pytest.mark.parametrize("changes", [{"guidance": {"floor": 0.4}}, {"guidance.floor": 0.4}])
def test_a_variant_of_part_of_a_nested_one_keeps_the_rest(changes: dict[str, Any]) -> None:
    made = variant(MODEL, changes)

    assert made["parameters"]["guidance"] == {"start": 1.0, "floor": 0.4}


def test_a_number_has_no_keys_to_set() -> None:
    with pytest.raises(InputError, match=r"weight\.x: weight is 0\.5, which has no keys to set"):
        variant(MODEL, {"weight.x": 1})


def test_runs_of_all_grids_and_those_that_are_compared_by_model() -> None:
    made = config(weight=(["weight"], [0, 0.5]))
    made["grids"] = {
        "one": {"datasets": ["a"], "models": ["m"], "bits": [8], "seeds": [0]},
        "two": {"datasets": ["a"], "sweeps": ["weight"], "bits": [8], "seeds": [0]},
        "three": {"datasets": ["a", "b"]},
    }

    assert evaluated_runs(made) == [Run("a", "m", 8, 0), Run("a", "m@weight=0", 8, 0)]
    assert compared_runs(made) == [Run("a", "m", 8, 0)]


def tuned(budget: int, **training: Any) -> dict[str, Any]:
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
    made = tuned(budget)

    m, n = settings_tried(made, "a", "m"), settings_tried(made, "a", "n")

    assert len(m) == len(n) == budget
    assert m[0] == {"scale": 1.0, "guidance.floor": 0.5}  # the data set's and the model's own
    assert len({tuple(values.values()) for values in m}) == budget


def test_a_small_space_is_tried_whole_and_in_the_same_order_each_time() -> None:
    tried = settings_tried(tuned(99), "a", "m")

    assert len(tried) == 4
    assert tried == settings_tried(tuned(99), "a", "m")


def test_what_the_config_has_is_not_trained_twice() -> None:
    made = tuned(2)
    first, second = (trial for trial in trials(made) if trial.method == "m")

    assert (first.model, first.configured) == ("m", True)
    assert second.model.startswith("m@scale=")
    assert not second.configured


def test_negatives_are_a_methods_own_where_it_does_not_take_the_workflows() -> None:
    made = tuned(2)
    made["models"] = {"own": {"shared_training": False, "parameters": {"negatives": 4}}}
    made["tuning"]["spaces"] = {"own": {"negatives": [4, 8]}}
    made["models"] |= tried_models(made)

    first, second = trials(made)

    assert (first.values, first.model) == ({"negatives": 4}, "own")
    assert parameters(made, "a", second.model) == {"negatives": 8}


def test_shortened_trials_are_trainings_of_their_own() -> None:
    first, *_ = trials(tuned(2, epochs=3))

    assert first.model == "m@epochs=3,scale=1,guidance.floor=0.5"
    assert first.configured
    assert parameters(tuned(2, epochs=3), "a", first.model)["epochs"] == 3


@pytest.mark.parametrize("guidance", [{}, {"floor": {}}, "soft"])
def test_what_is_tuned_must_be_set(guidance: Any) -> None:
    made = tuned(2)
    made["models"]["m"] = {"name": "M", "module": "m", "parameters": {"guidance": guidance}}
    made["tuning"]["spaces"] = {"m": {"guidance.floor.low": [0.0, 0.5]}}

    with pytest.raises(InputError, match=r"set models\.m\.parameters\.guidance\.floor\.low"):
        tried_models(made)
