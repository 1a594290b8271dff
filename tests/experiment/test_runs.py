"""Trainings of grids, sweeps and tuning, and which of them have results."""

from typing import Any

import pytest

from hashgnn.config.methods import negatives, parameters
from hashgnn.errors import InputError
from hashgnn.experiment.runs import (
    Point,
    Run,
    code_lengths,
    compared_runs,
    derived_models,
    evaluated_runs,
    files_of,
    is_tuned,
    points,
    reduced_to_existing,
    runs,
    studies,
    variant,
    variant_id,
    varied,
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


def test_single_models_have_code_lengths_of_their_own() -> None:
    grid = {
        **{"datasets": ["a"], "models": ["m", "n"], "bits": [8, 16], "seeds": [0, 1]},
        "bits_of": {"n": [16, 4]},
    }

    assert runs(config(), grid) == [
        Run("a", model, bits, seed)
        for model, lengths in (("m", (8, 16)), ("n", (16, 4)))
        for bits in lengths
        for seed in (0, 1)
    ]
    assert code_lengths(grid) == [8, 16, 4]
    assert code_lengths({"datasets": ["a"]}) == []


def test_runs_of_all_grids_and_those_that_are_compared_by_model() -> None:
    made = config(weight=(["weight"], [0, 0.5]))
    made["grids"] = {
        "one": {"datasets": ["a"], "models": ["m"], "bits": [8], "seeds": [0]},
        "two": {"datasets": ["a"], "sweeps": ["weight"], "bits": [8], "seeds": [0]},
        "three": {"datasets": ["a", "b"]},
    }

    assert evaluated_runs(made) == [Run("a", "m", 8, 0), Run("a", "m@weight=0", 8, 0)]
    assert compared_runs(made) == [Run("a", "m", 8, 0)]


def tuned(settings: str = "tuned") -> dict[str, Any]:
    made = config(weight=(["weight"], [0.5, 1.0]), fewer=(["epochs", "weight"], [1]))
    tuning = {"datasets": ["a"], "spaces": {"m": {"weight": {"low": 0.0, "high": 1.0}}}}
    return {**made, "settings": settings, "tuning": tuning}


@pytest.mark.parametrize(
    ("settings", "dataset", "model", "expected"),
    [
        ("tuned", "a", "m", True),
        ("tuned", "a", "m@weight=1", True),
        ("tuned", "b", "m", False),
        ("config", "a", "m", False),
        ("tuned", "a", "other", False),
    ],
)
def test_studies_serve_their_data_sets_and_models_and_the_variants_of_these(
    settings: str, dataset: str, model: str, expected: bool
) -> None:
    assert is_tuned(tuned(settings), dataset, model) == expected
    assert not is_tuned(config(), dataset, model)


def test_a_study_a_data_set_and_model() -> None:
    assert studies(tuned()) == [("a", "m")]
    assert studies(config()) == []


def test_a_variant_keeps_what_it_varies() -> None:
    assert varied(tuned(), "m") == []
    assert varied(tuned(), "m@weight=1") == ["weight"]
    assert varied(tuned(), "m@fewer=1") == ["epochs", "weight"]


def test_a_point_of_a_sweep_is_trained_by_itself_where_a_study_decides_what_the_model_has() -> None:
    def models(settings: str, dataset: str) -> list[str]:
        return [point.model for point in points(tuned(settings), "weight", dataset, 8)]

    assert models("config", "a") == ["m", "m@weight=1"]  # 0.5 is the model's own
    assert models("tuned", "b") == ["m@weight=0.5", "m@weight=1"]  # 0.7 is, there
    assert models("tuned", "a") == ["m@weight=0.5", "m@weight=1"]


GRID = {"datasets": ["a", "b"], "models": ["m", "n"], "bits": [8], "seeds": [0, 1]}
ENTRY: dict[str, Any] = {"module": "hashgnn.models.lsh", "parameters": {}, "shared_training": True}
CONFIG: dict[str, Any] = {
    "training": {"epochs": 1},
    "models": {"m": ENTRY, "n": ENTRY, "m@p=1": ENTRY, "m@p=2": ENTRY},
    "sweeps": {"p": {"model": "m", "vary": ["p"], "values": [1, 2]}},
}
ALL = {(d, m, seed) for d in "ab" for m in "mn" for seed in (0, 1)}


def reduced(grid: dict[str, Any], runs: set[tuple[str, str, int]], name: str = "fig3") -> Any:
    files = {
        f"results/{d}/{m}/bits8/seed{seed}/{file}" for d, m, seed in runs for file in files_of(name)
    }
    files.add("results/data/prepare.provenance.json")
    config = {**CONFIG, "grids": {name: grid, "table1": {"datasets": ["data"]}}}
    return reduced_to_existing(config, files.__contains__)["grids"].get(name)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (ALL, {}),
        (set(), None),
        ({run for run in ALL if run[0] == "a"}, {"datasets": ["a"]}),
        (ALL - {("b", "n", 1)}, {"models": ["m"]}),  # as many as on a, or by seed 0
        (ALL - {("a", "n", 1), ("b", "n", 1)}, {"models": ["m"]}),  # as many as by seed 0
        ({run for run in ALL if run[2] == 0}, {"seeds": [0]}),
        ({run for run in ALL if run[1] == "m"}, {"models": ["m"]}),
        ({("a", "m", 1)}, None),  # a grid begins with its first seed
        ({("a", "m", 0)}, {"datasets": ["a"], "models": ["m"], "seeds": [0]}),
    ],
)
def test_the_grid_with_most_trainings_is_kept(runs: set[Any], expected: Any) -> None:
    found = reduced(GRID, runs)

    if expected is None:
        assert found is None
    else:
        assert found == {**GRID, **expected}


def test_a_figure_that_lacks_one_file_of_a_training_lacks_the_training() -> None:
    config = {**CONFIG, "grids": {"table2": {**GRID, "datasets": ["a"], "models": ["m"]}}}
    there = {"results/a/m/bits8/seed0/metrics.csv", "results/a/m/bits8/seed0/per_user.npz"}

    assert reduced_to_existing(config, there.__contains__)["grids"]["table2"]["seeds"] == [0]
    there.remove("results/a/m/bits8/seed0/per_user.npz")
    with pytest.raises(InputError, match="existing: true, but there are no results"):
        reduced_to_existing(config, there.__contains__)


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({("m", 8), ("n", 8), ("n", 4)}, {"m": [8], "n": [8, 4]}),
        ({("m", 8), ("n", 8)}, {"m": [8], "n": [8]}),
        ({("m", 8), ("n", 4)}, {"m": [8], "n": [4]}),
        ({("n", 8), ("n", 4)}, {"n": [8, 4]}),
        ({("n", 4)}, {"n": [4]}),
    ],
)
def test_code_lengths_of_single_models_are_reduced_too(
    there: set[tuple[str, int]], expected: dict[str, list[int]]
) -> None:
    grid = {**GRID, "datasets": ["a"], "seeds": [0], "bits_of": {"n": [8, 4]}}
    files = {f"results/a/{model}/bits{bits}/seed0/metrics.csv" for model, bits in there}
    config = {**CONFIG, "grids": {"published": grid}}

    made = reduced_to_existing(config, files.__contains__)["grids"]["published"]
    assert made == {**grid, "models": list(expected), "bits": [], "bits_of": expected}


def test_a_table_of_data_needs_their_preparation() -> None:
    config = {**CONFIG, "grids": {"table1": {"datasets": ["a", "b"]}}}
    there = {"results/b/prepare.provenance.json"}

    made = reduced_to_existing(config, there.__contains__)["grids"]

    assert made == {"table1": {"datasets": ["b"]}}
