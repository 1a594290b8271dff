from typing import Any

import pytest

from hashgnn.errors import InputError
from hashgnn.experiment.existing import files_of, reduced_to_existing

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


def test_a_table_of_data_needs_their_preparation() -> None:
    config = {**CONFIG, "grids": {"table1": {"datasets": ["a", "b"]}}}
    there = {"results/b/prepare.provenance.json"}

    made = reduced_to_existing(config, there.__contains__)["grids"]

    assert made == {"table1": {"datasets": ["b"]}}
