"""Data for the training benchmark: prepared splits, or generated ones of a size."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from hashgnn.data.interactions import Split, load_split
from hashgnn.data.negatives import draw_negatives
from hashgnn.data.prepare import prepare
from hashgnn.data.split import split

SIZES = {  # users, items, interactions of the data sets, for stand-ins
    "movielens": (6_040, 3_706, 1_000_209),
    "gowalla": (29_858, 40_981, 1_027_370),
}
DENSITY = (20_000, 10_000, 1_000_000)  # of the generated graphs, whatever their size
NEGATIVES = 5


class Case(NamedTuple):
    """A data set with five negatives for each training interaction."""

    name: str
    split: Split
    triplets: np.ndarray


def real_or_alike(name: str, path: Path | None) -> Case:
    """The prepared split at ``path``, or a generated one of its size, named so."""
    if path is not None:
        return _case(name, load_split(path))
    return _case(f"{name} (generated)", generate(*SIZES[name]))


def synthetic(interactions: int) -> Case:
    """Generated, with as many interactions for each pair of a user and an item at every size."""
    side = (interactions / DENSITY[2]) ** 0.5
    sizes = round(DENSITY[0] * side), round(DENSITY[1] * side), interactions
    return _case(f"synthetic {interactions:,}", generate(*sizes))


def generate(users: int, items: int, interactions: int) -> Split:
    sizes = {"users": users, "items": items, "interactions": interactions}
    prepared = prepare([], {"dataset": "synthetic", "reader": "synthetic", "generator": sizes})
    settings = {"by": "random", "test": 0.3, "validation": 0.1, "seed": 0}
    return split(prepared.interactions, settings)


def _case(name: str, parts: Split) -> Case:
    triplets = np.empty((1, len(parts.train.indices), NEGATIVES), np.int32)
    draw_negatives(*parts.train, parts.n_items, 0, 0, triplets[0])
    return Case(name, parts, triplets)
