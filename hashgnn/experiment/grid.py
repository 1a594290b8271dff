"""The trainings that a figure or table is made of."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from hashgnn.experiment.parameters import Config
from hashgnn.experiment.sweeps import points


class Run(NamedTuple):
    """One training: a data set, a method, a length of code, a seed."""

    dataset: str
    model: str
    bits: int
    seed: int


def runs(config: Config, grid: Mapping[str, Any]) -> list[Run]:
    """Each training of ``grid`` once: its models, then the points of its sweeps."""
    return list(dict.fromkeys(_all_runs(config, grid)))


def _all_runs(config: Config, grid: Mapping[str, Any]) -> Iterator[Run]:
    datasets, bits, seeds = grid["datasets"], grid.get("bits", []), grid.get("seeds", [])
    for dataset, model, length, seed in product(datasets, grid.get("models", []), bits, seeds):
        yield Run(dataset, model, length, seed)
    for dataset, sweep, length in product(datasets, grid.get("sweeps", []), bits):
        for point in points(config, sweep, dataset, length):
            yield from (Run(dataset, point.model, point.bits, seed) for seed in seeds)
