"""The trainings of an experiment: grids, sweeps, which take tuned settings, which have results."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, combinations, product
from typing import Any, NamedTuple

from hashgnn.config.methods import Config, negatives, parameters, shares_training, with_values
from hashgnn.errors import InputError
from hashgnn.stage.record import SUFFIX

Entry = dict[str, Any]
Grid = Mapping[str, Any]

_SAFE = re.compile(r"[A-Za-z0-9@=,._+-]+")


class Run(NamedTuple):
    """One training: a data set, a model, a code length, a seed."""

    dataset: str
    model: str
    bits: int
    seed: int


def runs(config: Config, grid: Grid) -> list[Run]:
    """Return each training of ``grid`` once: its models, then the points of its sweeps."""
    return list(dict.fromkeys(_all_runs(config, grid)))


def _all_runs(config: Config, grid: Grid) -> Iterator[Run]:
    datasets, bits, seeds = grid["datasets"], grid.get("bits", []), grid.get("seeds", [])
    for dataset, model in product(datasets, grid.get("models", [])):
        for length, seed in product(grid.get("bits_of", {}).get(model, bits), seeds):
            yield Run(dataset, model, length, seed)
    for dataset, sweep, length in product(datasets, grid.get("sweeps", []), bits):
        for point in points(config, sweep, dataset, length):
            yield from (Run(dataset, point.model, point.bits, seed) for seed in seeds)


def code_lengths(grid: Grid) -> list[int]:
    """Return each code length of ``grid`` once: those of all models, then those of single ones."""
    return list(dict.fromkeys(chain(grid.get("bits", []), *grid.get("bits_of", {}).values())))


def evaluated_runs(config: Config) -> list[Run]:
    """Return each training of all grids once."""
    return list(
        dict.fromkeys(run for grid in config["grids"].values() for run in runs(config, grid))
    )


def compared_runs(config: Config) -> list[Run]:
    """Return the trainings that grids compare by model; points of sweeps are not among them."""
    grids = [grid for grid in config["grids"].values() if "models" in grid]
    compared = {model for grid in grids for model in grid["models"]}
    found = dict.fromkeys(run for grid in grids for run in runs(config, grid))
    return [run for run in found if run.model in compared]


# Variants of models.


def variant_id(model: str, values: Mapping[str, Any]) -> str:
    """Return the id of a variant, such as ``hashgnn@ranking_weight=0.3``.

    Several values are joined by commas. Raises ``InputError`` if the id cannot be part of a path
    and of a shell command without quoting.
    """
    made = f"{model}@" + ",".join(f"{name}={value_text(value)}" for name, value in values.items())
    if not _SAFE.fullmatch(made):
        raise InputError(
            f"{made!r}: swept keys and their values become folder names, which may hold "
            "letters, digits, . _ + and - only"
        )
    return made


def base_model(variant_or_model: str) -> str:
    """Return the model that a ``variant_id`` derives from; another id is returned unchanged."""
    return variant_or_model.partition("@")[0]


def value_text(value: Any) -> str:
    """Format a number in the fewest digits that are exact; return a string unchanged."""
    return value if isinstance(value, str) else repr(value).removesuffix(".0")


def variant(entry: Mapping[str, Any], values: Mapping[str, Any]) -> Entry:
    """Return a copy of a model's ``entry`` with ``values`` set.

    Args:
        entry: An entry of ``models`` in the config.
        values: Hyper-parameters by key. Dots lead into nested ones, which may be set in part. The
            key ``negatives`` is one of the entry itself where the model takes the shared training.

    The values hold on all data sets, also where ``per_dataset`` sets others.
    """
    made = copy.deepcopy(dict(entry))
    per_dataset = made.get("per_dataset", {})
    for key, value in values.items():
        if key == "negatives" and shares_training(entry):
            made[key] = value
            continue
        made["parameters"] = with_values(made.get("parameters", {}), {key: value})
        first, *_ = key.split(".")
        for dataset, block in per_dataset.items():
            if first in block:
                per_dataset[dataset] = with_values(block, {key: value})
    return made


def _hyper_parameters(config: Config, dataset: str, model: str) -> tuple[dict[str, Any], int]:
    return parameters(config, dataset, model), negatives(config, model)


# Sweeps.

BITS = "bits"  # the code length is not a hyper-parameter, but sweeps may vary it


class Point(NamedTuple):
    """One value of a sweep and the training that has it on a data set."""

    at: Any
    model: str
    bits: int


def derived_models(config: Config) -> dict[str, Entry]:
    """Return an entry of ``models`` for each value of each sweep, by id."""
    return {
        _derived_id(config, sweep, value): variant(
            config["models"][entry["model"]], dict.fromkeys(entry["vary"], value)
        )
        for sweep, entry in config.get("sweeps", {}).items()
        if BITS not in entry["vary"]
        for value in entry["values"]
    }


def points(config: Config, sweep: str, dataset: str, bits: int) -> Iterator[Point]:
    """Yield the points of ``sweep`` on ``dataset``; ``config`` has the derived models too.

    A value that the model already has refers to the model itself, which is not trained twice.
    """
    entry = config["sweeps"][sweep]
    base = entry["model"]
    for value in entry["values"]:
        if BITS in entry["vary"]:
            yield Point(value, base, value)
        else:
            derived = _derived_id(config, sweep, value)
            yield Point(value, _unless_equal(config, dataset, derived, base), bits)


def _derived_id(config: Config, sweep: str, value: Any) -> str:
    return variant_id(config["sweeps"][sweep]["model"], {sweep: value})


def _unless_equal(config: Config, dataset: str, derived: str, base: str) -> str:
    """Return ``base`` if ``derived`` has the same hyper-parameters on ``dataset``.

    Where these come from a study, they are known when it is over: ``derived`` is trained then.
    """
    if is_tuned(config, dataset, base):
        return derived
    same = _hyper_parameters(config, dataset, derived) == _hyper_parameters(config, dataset, base)
    return base if same else derived


# Tuning.


def is_tuned(config: Config, dataset: str, model: str) -> bool:
    """Return whether a training takes the settings that a study chose; variants take their base's.

    Values that a variant sets stay as they are.
    """
    return config.get("settings") == "tuned" and has_study(config, dataset, base_model(model))


def has_study(config: Config, dataset: str, model: str) -> bool:
    """Return whether ``tuning`` has a study of a model on a data set."""
    tuning = config.get("tuning", {})
    return dataset in tuning.get("datasets", ()) and model in tuning.get("spaces", {})


def studies(config: Config) -> list[tuple[str, str]]:
    """Return the data set and the model of each study."""
    tuning = config.get("tuning", {})
    return list(product(tuning.get("datasets", ()), tuning.get("spaces", {})))


def varied(config: Config, model: str) -> list[str]:
    """Return the hyper-parameters that a variant sets, which tuning leaves; none for a model."""
    if base_model(model) == model:
        return []
    return sorted(
        {
            key
            for sweep, entry in config.get("sweeps", {}).items()
            for value in entry["values"]
            if BITS not in entry["vary"] and _derived_id(config, sweep, value) == model
            for key in entry["vary"]
        }
    )


# Existing results.
#
# An experiment can be reduced to the trainings whose results exist. Figures and tables are then
# made of a part of it, such as one data set whose records were restored, without training anything.

# Figures of the course of training, which show each run.
COURSES = ("fig4", "fig6")

# Tables of hierarchical search, which compare every model with the first one.
HIERARCHICAL = ("table2", "table3")

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


def files_of(name: str) -> tuple[str, ...]:
    """Return the files of each training that a figure or table reads."""
    return _FILES.get(name, ("metrics.csv",))


def reduced_to_existing(config: Config, exists: Callable[[str], bool]) -> dict[str, Any]:
    """Return ``config`` with the grids of which results exist, each reduced to these.

    A grid shows all combinations of its data sets, methods, code lengths and seeds. The reduced one
    has the most trainings among those of which all exist; where code lengths may differ between
    methods, each keeps its own. A grid without any is left out.

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
        chosen = part if "bits_of" in grid else _completed(config, part, complete)
        if chosen and (number := len(runs(config, chosen))) > most:
            best, most = chosen, number
    return best


def _parts(grid: Grid, complete: Mapping[Run, bool]) -> Iterator[dict[str, Any]]:
    """Yield the grid with each choice of data sets, and its first seeds.

    Also with each choice of code lengths, unless methods have lengths of their own. Larger choices
    come first. Data sets without any result are not among them.
    """
    there = {run.dataset for run, done in complete.items() if done}
    datasets = _choices([d for d in grid["datasets"] if d in there])
    seeds = [grid["seeds"][:n] for n in range(len(grid["seeds"]), 0, -1)]
    for data, some in product(datasets, seeds):
        part = {**grid, "datasets": data, "seeds": some}
        if "bits_of" in grid:
            yield part | _own_lengths(part, complete)
        else:
            yield from (part | {"bits": bits} for bits in _choices(grid["bits"]))


def _own_lengths(part: Grid, complete: Mapping[Run, bool]) -> dict[str, Any]:
    """Return the methods of ``part`` with the code lengths of which all trainings exist."""
    places = list(product(part["datasets"], part["seeds"]))
    own = {
        model: [
            bits
            for bits in part["bits_of"].get(model, part["bits"])
            if all(complete[Run(dataset, model, bits, seed)] for dataset, seed in places)
        ]
        for model in part["models"]
    }
    made = {model: lengths for model, lengths in own.items() if lengths}
    return {"models": list(made), "bits": [], "bits_of": made}


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
            if (found := runs(config, {**part, **others, key: [one]}))
            and all(complete[run] for run in found)
        ]
        if not whole or ({"models", "sweeps"} <= part.keys() and len(whole) < len(part[key])):
            return None
        kept[key] = whole
    return kept
