"""Reduce an experiment to the trainings whose results exist.

With it, figures and tables are made of a part of the experiment, such as one data set whose records
were restored, without training anything.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, product
from typing import Any

from hashgnn.config.methods import Config
from hashgnn.errors import InputError
from hashgnn.experiment.job_settings import COURSES, HIERARCHICAL
from hashgnn.experiment.runs import Run, runs
from hashgnn.stage.record import SUFFIX

# The folder of one training: a data set, a model, a code length, a seed.
RUN = "results/{dataset}/{model}/bits{bits}/seed{seed}"

VALIDATION = "validation/"  # prefix of files about the validation part

# Files of each training that a figure or table reads, if these are not only its metrics.
_FILES = {
    **dict.fromkeys(COURSES, ("history.csv",)),
    **dict.fromkeys(HIERARCHICAL, ("metrics.csv", "per_user.npz")),
    **dict.fromkeys(("fig8", "quantization"), ("metrics.csv", "item_vectors.npy")),
    "fig9": ("metrics.csv", "item_vectors.npy", "query_times.csv"),
    "table4": ("timing.csv",),
    "quantization_verdict": (f"{VALIDATION}metrics.csv", "per_user.npz", "item_vectors.npy"),
}

Grid = Mapping[str, Any]


def files_of(name: str) -> tuple[str, ...]:
    """Return the files of each training that a figure or table reads."""
    return _FILES.get(name, ("metrics.csv",))


def reduced_to_existing(config: Config, exists: Callable[[str], bool]) -> dict[str, Any]:
    """Return ``config`` with the grids of which results exist, each reduced to these.

    A grid shows all combinations of its data sets, methods, code lengths and seeds. The reduced one
    has the most trainings among those of which all exist. A grid without any is left out.

    Args:
        config: The resolved config, with the models of sweeps.
        exists: Whether a file of results exists, by its path.

    Raises:
        InputError: No grid has any result.
    """
    found = {}
    for name, grid in config["grids"].items():
        if "bits" in grid:
            reduced = _largest(config, name, grid, exists)
        else:
            there = [d for d in grid["datasets"] if exists(f"results/{d}/prepare{SUFFIX}")]
            reduced = {**grid, "datasets": there} if there else None
        if reduced:
            found[name] = reduced
    if config["grids"] and not found:
        raise InputError(
            "existing: true, but there are no results of any figure or table in results; make "
            "some first, or unpack records of them (python -m hashgnn.reporting.records unpack)"
        )
    return {**config, "grids": found}


def _largest(
    config: Config, name: str, grid: Grid, exists: Callable[[str], bool]
) -> dict[str, Any] | None:
    """Return the reduced grid with the most trainings; None if no training exists."""
    complete = {
        run: all(exists(f"{RUN.format(**run._asdict())}/{file}") for file in files_of(name))
        for run in runs(config, grid)
    }
    best, most = None, 0
    for part in _parts(grid, complete):
        chosen = _completed(config, part, complete)
        if chosen and (number := len(runs(config, chosen))) > most:
            best, most = chosen, number
    return best


def _parts(grid: Grid, complete: Mapping[Run, bool]) -> Iterator[dict[str, Any]]:
    """Yield the grid with each choice of data sets and code lengths, and its first seeds.

    Larger choices come first. Data sets without any result are not among them.
    """
    there = {run.dataset for run, done in complete.items() if done}
    datasets = _choices([d for d in grid["datasets"] if d in there])
    seeds = [grid["seeds"][:n] for n in range(len(grid["seeds"]), 0, -1)]
    for data, bits, some in product(datasets, _choices(grid["bits"]), seeds):
        yield {**grid, "datasets": data, "bits": bits, "seeds": some}


def _choices(values: list[Any]) -> list[list[Any]]:
    sizes = range(len(values), 0, -1)
    return [list(chosen) for size in sizes for chosen in combinations(values, size)]


def _completed(
    config: Config, part: dict[str, Any], complete: Mapping[Run, bool]
) -> dict[str, Any] | None:
    """Return ``part`` with the methods and sweeps of which all trainings exist; None without any.

    A figure of a method and its sweep (7) needs both.
    """
    kept = dict(part)
    for key in ("models", "sweeps"):
        if key not in part:
            continue
        others: dict[str, Any] = {"models": [], "sweeps": []}
        whole = [
            one
            for one in part[key]
            if all(complete[run] for run in runs(config, {**part, **others, key: [one]}))
        ]
        if not whole or ({"models", "sweeps"} <= part.keys() and len(whole) < len(part[key])):
            return None
        kept[key] = whole
    return kept
